"""Demo people: somebody who shops, somebody who packs, and somebody who may do everything."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from accounts import services
from accounts.domain import Role, User, UserStatus
from shop.lib.ids import new_id
from shop.lib.viewer import Permission

PASSWORD = "paper lantern 42"


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    first_name: str
    last_name: str
    role: Role
    what: str
    permissions: frozenset[Permission] = frozenset()


PEOPLE = (
    Person("shopper@example.com", "Mira", "Holm", Role.CUSTOMER, "a shopper"),
    Person(
        "staff@example.com",
        "Jonas",
        "Birk",
        Role.STAFF,
        "staff for products and orders",
        frozenset(
            {
                Permission.PRODUCTS_VIEW,
                Permission.PRODUCTS_EDIT,
                Permission.STOCK_EDIT,
                Permission.ORDERS_VIEW,
                Permission.ORDERS_SHIP,
                Permission.CUSTOMERS_VIEW,
                Permission.FIGURES_VIEW,
            }
        ),
    ),
    Person("admin@example.com", "Ines", "Falk", Role.ADMIN, "an admin"),
)


def make_people(now: datetime) -> Iterator[str]:
    """Write those who are missing; gives a line for each that tells how to sign in."""
    for person in PEOPLE:
        user = User(
            user_id=new_id("user", now),
            email=person.email,
            first_name=person.first_name,
            last_name=person.last_name,
            role=person.role,
            status=UserStatus.ACTIVE,
            created_at=now,
            # Among the team a colleague, not somebody whose invitation waits for an answer.
            last_login=now if person.role is Role.STAFF else None,
            credentials=1,
            granted=frozenset(person.permissions),
        )
        services.add_missing_user(user=user, password=PASSWORD, now=now)
        yield f"{person.email}   password: {PASSWORD}   ({person.what})"
