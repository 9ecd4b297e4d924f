"""Rows of the Users table, and the only place where their key text is built."""

from pynamodb.attributes import BooleanAttribute, ListAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from shop.lib.attributes import Document, EpochAttribute, IntegerAttribute, TimeAttribute
from shop.lib.tables import BaseMeta, Row, table_name


class UserMeta(BaseMeta):
    table_name = table_name("Users")


class AddressMap(Document):
    id = UnicodeAttribute()
    type = UnicodeAttribute()
    street = UnicodeAttribute()
    city = UnicodeAttribute()
    state = UnicodeAttribute()
    zip_code = UnicodeAttribute(attr_name="zipCode")
    country = UnicodeAttribute()
    is_default = BooleanAttribute(attr_name="isDefault")


class PaymentMethodMap(Document):
    id = UnicodeAttribute()
    type = UnicodeAttribute()
    last4 = UnicodeAttribute()
    brand = UnicodeAttribute()
    expiry_month = IntegerAttribute(attr_name="expiryMonth")
    expiry_year = IntegerAttribute(attr_name="expiryYear")
    is_default = BooleanAttribute(attr_name="isDefault")


class EmailIndex(GlobalSecondaryIndex["UserRow"]):
    """Users by e-mail address, for staff. Uniqueness and login go by the `EMAIL#` key, which is read consistently."""

    class Meta:
        index_name = "GSI1"
        projection = IncludeProjection(["userId", "email", "firstName", "lastName", "role", "status", "createdAt"])

    gsi1_pk = UnicodeAttribute(hash_key=True, attr_name="GSI1PK")
    gsi1_sk = UnicodeAttribute(range_key=True, attr_name="GSI1SK")


class UserRow(Row):
    """A person with an account: profile, address book, saved cards."""

    class Meta(UserMeta):
        # Sessions and login throttles of this table end by it; a profile carries none and stays.
        ttl_attribute = "expiresAt"

    user_id = UnicodeAttribute(attr_name="userId")
    email = UnicodeAttribute()
    password_hash = UnicodeAttribute(attr_name="passwordHash")
    first_name = UnicodeAttribute(attr_name="firstName")
    last_name = UnicodeAttribute(attr_name="lastName")
    phone = UnicodeAttribute(null=True)
    role = UnicodeAttribute()
    addresses: ListAttribute[AddressMap] = ListAttribute(of=AddressMap)
    payment_methods: ListAttribute[PaymentMethodMap] = ListAttribute(of=PaymentMethodMap, attr_name="paymentMethods")
    status = UnicodeAttribute()
    created_at = TimeAttribute(attr_name="createdAt")
    last_login = TimeAttribute(attr_name="lastLogin", null=True)
    gsi1_pk = UnicodeAttribute(attr_name="GSI1PK", null=True)
    gsi1_sk = UnicodeAttribute(attr_name="GSI1SK", null=True)
    expires_at = EpochAttribute(attr_name="expiresAt", null=True)

    by_email = EmailIndex()
