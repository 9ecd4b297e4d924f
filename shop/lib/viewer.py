"""Who is looking, and what they may do: pure things, so that rules can speak of them."""

from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """One thing staff may do. Which role may do what is in `accounts/domain.py`."""

    PRODUCTS_VIEW = "products.view"
    PRODUCTS_EDIT = "products.edit"
    STOCK_EDIT = "stock.edit"
    ORDERS_VIEW = "orders.view"
    ORDERS_SHIP = "orders.ship"
    ORDERS_REFUND = "orders.refund"
    CUSTOMERS_VIEW = "customers.view"
    CUSTOMERS_EDIT = "customers.edit"
    CUSTOMERS_DATA = "customers.data"
    STAFF_MANAGE = "staff.manage"
    REVIEWS_MODERATE = "reviews.moderate"
    DISCOUNTS_EDIT = "discounts.edit"
    MAILS_VIEW = "mails.view"
    SETTINGS_EDIT = "settings.edit"
    FIGURES_VIEW = "figures.view"
    AUDIT_VIEW = "audit.view"


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A filter of one of staff's lists under a name: `listed` says of which, `query` is that of the list's address."""

    filter_id: str
    listed: str
    name: str
    query: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever asks: somebody signed in, or (without a user id) a guest."""

    user_id: str = ""
    name: str = ""
    email: str = ""
    role: str = ""
    permissions: frozenset[Permission] = frozenset()
    session_id: str = ""
    has_second_factor: bool = False
    """Whether they proved themselves by more than a password when they signed in."""
    filters: tuple[SavedFilter, ...] | None = None
    """The filters of staff's lists they have kept; None where nobody asked for them with who they are."""

    @property
    def is_signed_in(self) -> bool:
        return bool(self.user_id)

    @property
    def is_staff(self) -> bool:
        """Whether there is anything behind `/staff/` for them."""
        return bool(self.permissions)

    def may(self, permission: Permission) -> bool:
        """Whether they hold this permission."""
        return permission in self.permissions


GUEST = Viewer()
