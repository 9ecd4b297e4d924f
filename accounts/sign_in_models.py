"""Rows of the Users table about signing in: how often it was tried, and whose account a sign-in elsewhere opens."""

from pynamodb.attributes import UnicodeAttribute

from accounts.domain import Role, User, UserStatus
from accounts.maps import SecondFactorMap
from accounts.models import SessionRow, UserMeta, UserRow
from shop.lib.attributes import EpochAttribute, IntegerAttribute
from shop.lib.tables import Item, Row, value_of

LIMIT_SK = "LIMIT"
SUBJECT_SK = "SUBJECT"


class LimitRow(Row):
    """How often something was tried, for an account or a source address."""

    class Meta(UserMeta):
        pass

    tries = IntegerAttribute()
    next_at = EpochAttribute(attr_name="nextAt", null=True)
    written_by = UnicodeAttribute(attr_name="writtenBy", null=True)
    expires_at = EpochAttribute(attr_name="expiresAt")


class SubjectRow(Row):
    """Whose account somebody's sign-in at another provider opens."""

    class Meta(UserMeta):
        pass

    user_id = UnicodeAttribute(attr_name="userId")


SIGNED_IN_ATTRIBUTES = (
    UserRow.pk,
    UserRow.sk,
    UserRow.user_id,
    UserRow.email,
    UserRow.first_name,
    UserRow.last_name,
    UserRow.role,
    UserRow.status,
    UserRow.created_at,
    UserRow.permissions,
    UserRow.second_factor,
    SessionRow.session_id,
    SessionRow.current,
    SessionRow.previous,
    SessionRow.rotated_at,
    SessionRow.credentials,
    SessionRow.is_long,
    SessionRow.factor,
    SessionRow.is_new_device,
    SessionRow.is_provided,
    SessionRow.user_agent,
    SessionRow.source,
    SessionRow.seen_at,
    SessionRow.expires_at,
)
"""What a page reads of the person who asks for it and of their session; what both have goes by one name."""


def to_person(item: Item) -> User:
    """A person of an item with SIGNED_IN_ATTRIBUTES: without password, address book and cards."""
    factor = item.get(UserRow.second_factor.attr_name, {}).get("M")
    return User(
        user_id=value_of(item, UserRow.user_id),
        email=value_of(item, UserRow.email),
        first_name=value_of(item, UserRow.first_name, ""),
        last_name=value_of(item, UserRow.last_name, ""),
        role=Role(value_of(item, UserRow.role)),
        status=UserStatus(value_of(item, UserRow.status)),
        created_at=value_of(item, UserRow.created_at),
        granted=frozenset(one["S"] for one in item.get(UserRow.permissions.attr_name, {}).get("L", ())),
        credentials=value_of(item, UserRow.credentials, 0),
        factor=value_of(factor, SecondFactorMap.id) if factor else "",
    )


def limit_pk(key: str) -> str:
    return f"LIMIT#{key}"


def subject_pk(subject: str) -> str:
    return f"SUBJECT#{subject}"
