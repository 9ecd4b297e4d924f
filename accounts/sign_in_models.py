"""Rows of the Users table about signing in: how often it was tried, and whose account a sign-in elsewhere opens."""

from pynamodb.attributes import UnicodeAttribute

from accounts.models import UserMeta
from shop.lib.attributes import EpochAttribute, IntegerAttribute
from shop.lib.tables import Row

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


def limit_pk(key: str) -> str:
    return f"LIMIT#{key}"


def subject_pk(subject: str) -> str:
    return f"SUBJECT#{subject}"
