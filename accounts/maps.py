"""The maps inside an account's row, and the functions map -> thing, thing -> map."""

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from accounts.domain import SavedAddress, SavedCard
from shop.lib.attributes import Document, IntegerAttribute, TextListAttribute


class AddressMap(Document):
    id = UnicodeAttribute()
    type = UnicodeAttribute()
    street = UnicodeAttribute()
    city = UnicodeAttribute()
    state = UnicodeAttribute(null=True)
    zip_code = UnicodeAttribute(attr_name="zipCode")
    country = UnicodeAttribute()
    is_default = BooleanAttribute(attr_name="isDefault")
    # Beyond the spec's item.
    name = UnicodeAttribute(null=True)
    street2 = UnicodeAttribute(null=True)


class PaymentMethodMap(Document):
    id = UnicodeAttribute()
    type = UnicodeAttribute()
    last4 = UnicodeAttribute()
    brand = UnicodeAttribute()
    expiry_month = IntegerAttribute(attr_name="expiryMonth")
    expiry_year = IntegerAttribute(attr_name="expiryYear")
    is_default = BooleanAttribute(attr_name="isDefault")


class SecondFactorMap(Document):
    """An authenticator: its name, its secret (encrypted), the hashes of unused recovery codes, the last time step used."""

    id = UnicodeAttribute()
    secret = UnicodeAttribute()
    recovery = TextListAttribute()
    last_step = IntegerAttribute(attr_name="lastStep")


def to_address(entry: AddressMap) -> SavedAddress:
    return SavedAddress(
        address_id=entry.id,
        kind=entry.type,
        street=entry.street,
        city=entry.city,
        state=entry.state or "",
        zip_code=entry.zip_code,
        country=entry.country,
        is_default=entry.is_default,
        name=entry.name or "",
        street2=entry.street2 or "",
    )


def to_address_map(entry: SavedAddress) -> AddressMap:
    return AddressMap(
        id=entry.address_id,
        type=entry.kind,
        street=entry.street,
        city=entry.city,
        state=entry.state or None,
        zip_code=entry.zip_code,
        country=entry.country,
        is_default=entry.is_default,
        name=entry.name or None,
        street2=entry.street2 or None,
    )


def to_card(entry: PaymentMethodMap) -> SavedCard:
    return SavedCard(
        method_id=entry.id,
        kind=entry.type,
        last4=entry.last4,
        brand=entry.brand,
        expiry_month=entry.expiry_month,
        expiry_year=entry.expiry_year,
        is_default=entry.is_default,
    )


def to_card_map(card: SavedCard) -> PaymentMethodMap:
    return PaymentMethodMap(
        id=card.method_id,
        type=card.kind,
        last4=card.last4,
        brand=card.brand,
        expiry_month=card.expiry_month,
        expiry_year=card.expiry_year,
        is_default=card.is_default,
    )
