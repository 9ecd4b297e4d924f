"""Who somebody is: pure rules."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do at the most."""

    CUSTOMER = "customer"
    STAFF = "staff"
    ADMIN = "admin"


class UserStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account."""

    user_id: str
    email: str
    first_name: str
    last_name: str
    role: Role
    status: UserStatus
    created_at: datetime
