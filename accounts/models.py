"""Rows of the Users table; here, and in the `*_models` beside it, is the only place where their key text is built."""

from datetime import date, datetime
from typing import Any

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from accounts.domain import Role, Session, User, UserStatus, normalised_email
from accounts.maps import AddressMap, PaymentMethodMap, SecondFactorMap, to_address, to_card
from shop.lib.attributes import (
    DocumentListAttribute,
    EpochAttribute,
    IntegerAttribute,
    TextListAttribute,
    TimeAttribute,
    time_text,
)
from shop.lib.audit import AuditRow
from shop.lib.once import ClaimRow
from shop.lib.tables import BaseMeta, Row, table_name

PROFILE_SK = "PROFILE"
EMAIL_SK = "EMAIL"
TOKEN_SK = "TOKEN"  # noqa: S105 - a key's text
REQUEST_SK = "REQUEST"
EMAIL_CHANGE_SK = "EMAIL-CHANGE"


class UserMeta(BaseMeta):
    table_name = table_name("Users")


class EmailIndex(GlobalSecondaryIndex["UserRow"]):
    """Users by e-mail address, and the list of all by when they came, for staff.

    Uniqueness and login go by the `EMAIL#` key, which is read consistently.
    """

    class Meta:
        index_name = "GSI1"
        projection = IncludeProjection(["userId", "email", "firstName", "lastName", "role", "status", "createdAt"])

    gsi1_pk = UnicodeAttribute(hash_key=True, attr_name="GSI1PK")
    gsi1_sk = UnicodeAttribute(range_key=True, attr_name="GSI1SK")


class UserRow(Row):
    """A person with an account: profile, address book, saved cards. Changed by `update` alone, field by field."""

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
    addresses = DocumentListAttribute(AddressMap)
    payment_methods = DocumentListAttribute(PaymentMethodMap, attr_name="paymentMethods")
    status = UnicodeAttribute()
    created_at = TimeAttribute(attr_name="createdAt")
    last_login = TimeAttribute(attr_name="lastLogin", null=True)
    gsi1_pk = UnicodeAttribute(attr_name="GSI1PK", null=True)
    gsi1_sk = UnicodeAttribute(attr_name="GSI1SK", null=True)
    # Beyond the spec's item.
    permissions = TextListAttribute(null=True)
    credentials = IntegerAttribute(null=True)
    second_factor = SecondFactorMap(attr_name="secondFactor", null=True)
    stripe_customer_id = UnicodeAttribute(attr_name="stripeCustomerId", null=True)
    book_version = IntegerAttribute(attr_name="bookVersion", null=True)
    subject = UnicodeAttribute(null=True)
    # Other rows of this table end by it; named here for the table's TTL.
    expires_at = EpochAttribute(attr_name="expiresAt", null=True)

    by_email = EmailIndex()


# Paths within the row, for conditions; to mypy they are what an instance holds there.
FACTOR: Any = UserRow.second_factor.id
LAST_STEP: Any = UserRow.second_factor.last_step
RECOVERY: Any = UserRow.second_factor.recovery


class EmailRow(Row):
    """Claims an address for one account, and is the account's place in the list of customers or of staff (GSI1)."""

    class Meta(UserMeta):
        pass

    user_id = UnicodeAttribute(attr_name="userId")
    # Beyond the claim: what lists people by the time they came, customers apart from staff.
    gsi1_pk = UnicodeAttribute(attr_name="GSI1PK", null=True)
    gsi1_sk = UnicodeAttribute(attr_name="GSI1SK", null=True)


class RegisteredRow(Row):
    """How many customers came on a day; it grows in the transaction that makes the account."""

    class Meta(UserMeta):
        pass

    number = IntegerAttribute(null=True)


class AccountAuditRow(AuditRow):
    """What staff did to an account."""

    class Meta(UserMeta):
        pass


class SessionRow(Row):
    """A browser somebody is signed in with. `current` is the id of the only refresh token that counts."""

    class Meta(UserMeta):
        pass

    session_id = UnicodeAttribute(attr_name="sessionId")
    current = UnicodeAttribute()
    previous = UnicodeAttribute(null=True)
    rotated_at = EpochAttribute(attr_name="rotatedAt")
    credentials = IntegerAttribute()
    is_long = BooleanAttribute(attr_name="isLong")
    factor = UnicodeAttribute(null=True)
    is_new_device = BooleanAttribute(attr_name="isNewDevice")
    is_provided = BooleanAttribute(attr_name="isProvided", null=True)
    user_agent = UnicodeAttribute(attr_name="userAgent", null=True)
    source = UnicodeAttribute(null=True)
    created_at = TimeAttribute(attr_name="createdAt")
    seen_at = TimeAttribute(attr_name="seenAt")
    expires_at = EpochAttribute(attr_name="expiresAt")


class TokenRow(Row):
    """A link in a mail: found by the hash of its secret, good once and for a while."""

    class Meta(UserMeta):
        pass

    kind = UnicodeAttribute()
    email = UnicodeAttribute()
    user_id = UnicodeAttribute(attr_name="userId", null=True)
    credentials = IntegerAttribute(null=True)
    change_id = UnicodeAttribute(attr_name="changeId", null=True)
    password_hash = UnicodeAttribute(attr_name="passwordHash", null=True)
    first_name = UnicodeAttribute(attr_name="firstName", null=True)
    last_name = UnicodeAttribute(attr_name="lastName", null=True)
    expires_at = EpochAttribute(attr_name="expiresAt")


class RequestRow(Row):
    """Something asked for that is answered by mail, from the stream: the page tells nothing, neither by words nor by time."""

    class Meta(UserMeta):
        pass

    kind = UnicodeAttribute()
    email = UnicodeAttribute()
    user_id = UnicodeAttribute(attr_name="userId", null=True)
    change_id = UnicodeAttribute(attr_name="changeId", null=True)
    password_hash = UnicodeAttribute(attr_name="passwordHash", null=True)
    first_name = UnicodeAttribute(attr_name="firstName", null=True)
    last_name = UnicodeAttribute(attr_name="lastName", null=True)
    onward = UnicodeAttribute(null=True)
    requested_at = TimeAttribute(attr_name="requestedAt")
    expires_at = EpochAttribute(attr_name="expiresAt")


class EmailChangeRow(Row):
    """A wish for another address, until both addresses have confirmed it. One a person."""

    class Meta(UserMeta):
        pass

    new_email = UnicodeAttribute(attr_name="newEmail")
    change_id = UnicodeAttribute(attr_name="changeId")
    old_confirmed = BooleanAttribute(attr_name="oldConfirmed", default=False)
    new_confirmed = BooleanAttribute(attr_name="newConfirmed", default=False)
    expires_at = EpochAttribute(attr_name="expiresAt")


class EffectRow(ClaimRow):
    """A mail to be sent once."""

    class Meta(UserMeta):
        pass


def registered_pk(day: date) -> str:
    """The partition of the month a day is in."""
    return f"STATS#{day:%Y-%m}"


def registered_sk(day: date) -> str:
    return f"DAY#{day.isoformat()}"


def user_pk(user_id: str) -> str:
    return f"USER#{user_id}"


def email_pk(email: str) -> str:
    """The key that claims an address, whatever its spelling."""
    return f"EMAIL#{normalised_email(email)}"


def people_pk(role: Role) -> str:
    """The partition of GSI1 that lists everybody like this: customers, or staff with the admins."""
    return "PEOPLE#customers" if role is Role.CUSTOMER else "PEOPLE#staff"


def people_sk(user: User) -> str:
    """Somebody's place in that list: by when they came."""
    return f"{time_text(user.created_at)}#{user.user_id}"


def people_span(since: datetime | None, until: datetime | None) -> tuple[str, str]:
    """The first and the last place of who came in a span of time; without its ends, of everybody."""
    return time_text(since) if since else "0", f"{time_text(until)}#~" if until else "~"


def session_sk(session_id: str) -> str:
    return f"SESSION#{session_id}"


def token_pk(hashed: str) -> str:
    return f"TOKEN#{hashed}"


def request_pk(request_id: str) -> str:
    return f"REQUEST#{request_id}"


def user_key(user_id: str) -> UserRow:
    """A row that carries nothing but its key, for updates by condition."""
    return UserRow(user_pk(user_id), PROFILE_SK)


def has_credentials(count: int) -> Any:
    """The condition that a user's credentials are still these; an item in the specification's form has no count."""
    return UserRow.credentials == count if count else UserRow.credentials.does_not_exist()


def to_user(row: UserRow) -> User:
    return User(
        user_id=row.user_id,
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        role=Role(row.role),
        status=UserStatus(row.status),
        created_at=row.created_at,
        password_hash=row.password_hash,
        phone=row.phone or "",
        addresses=tuple(map(to_address, row.addresses)),
        cards=tuple(map(to_card, row.payment_methods)),
        book_version=row.book_version or 0,
        last_login=row.last_login,
        granted=frozenset(row.permissions or ()),
        credentials=row.credentials or 0,
        factor=row.second_factor.id if row.second_factor else "",
        stripe_customer_id=row.stripe_customer_id or "",
        subject=row.subject or "",
    )


def to_email_row(user: User) -> EmailRow:
    """The claim to somebody's address, listed."""
    return EmailRow(email_pk(user.email), EMAIL_SK, user_id=user.user_id, gsi1_pk=people_pk(user.role), gsi1_sk=people_sk(user))


def to_row(user: User) -> UserRow:
    """The row of a new account, without addresses and cards."""
    return UserRow(
        user_pk(user.user_id),
        PROFILE_SK,
        user_id=user.user_id,
        email=user.email,
        password_hash=user.password_hash,
        first_name=user.first_name,
        last_name=user.last_name,
        phone=user.phone or None,
        role=user.role,
        addresses=[],
        payment_methods=[],
        status=user.status,
        created_at=user.created_at,
        last_login=user.last_login,
        permissions=sorted(user.granted) or None,
        credentials=user.credentials or None,
        subject=user.subject or None,
        gsi1_pk=email_pk(user.email),
        gsi1_sk=user_pk(user.user_id),
    )


def to_session(row: SessionRow) -> Session:
    return Session(
        session_id=row.session_id,
        user_id=row.pk.partition("#")[2],
        current=row.current,
        previous=row.previous or "",
        rotated_at=row.rotated_at,
        credentials=row.credentials,
        is_long=row.is_long,
        factor=row.factor or "",
        user_agent=row.user_agent or "",
        source=row.source or "",
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        is_provided=bool(row.is_provided),
    )
