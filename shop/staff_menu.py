"""The menu of the staff pages: every entry with the permission its page asks for, so that nobody sees what they may not open."""

from dataclasses import dataclass
from functools import cache

from django.http import HttpRequest
from django.urls import reverse

from shop.lib.access import Permission, viewer_of

# Label, name of the address (or the address itself), and the permission its view requires (None: any staff).
_Menu = tuple[tuple[str, str, Permission | None], ...]
MENU: _Menu = (
    ("Home", "staff:home", None),
    ("Orders", "orders_staff:orders", Permission.ORDERS_VIEW),
    ("Products", "catalog_staff:products", Permission.PRODUCTS_VIEW),
    ("Stock", "catalog_staff:stock", Permission.PRODUCTS_VIEW),
    ("Categories", "catalog_staff:categories", Permission.PRODUCTS_VIEW),
    ("Reviews", "catalog_staff:reviews", Permission.REVIEWS_MODERATE),
    ("Discount codes", "cart_staff:discounts", Permission.DISCOUNTS_EDIT),
    ("Delivery and tax", "cart_staff:tariffs", Permission.ORDERS_VIEW),
    ("Customers", "accounts_staff:customers", Permission.CUSTOMERS_VIEW),
    ("Reconciliation", "orders_staff:findings", Permission.ORDERS_VIEW),
    ("Mails", "staff:mails", Permission.MAILS_VIEW),
    ("Team", "accounts_staff:team", Permission.STAFF_MANAGE),
    ("Audit trail", "staff:audit", Permission.AUDIT_VIEW),
    ("Set-up doctor", "staff:doctor", Permission.SETTINGS_EDIT),
)
# Pages of an entry whose address does not begin with the entry's.
_UNDER = {"catalog_staff:transfers": "catalog_staff:products"}


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    url: str
    is_current: bool


def menu_of(request: HttpRequest) -> list[Entry]:
    """The entries the viewer may open, the one they are in marked."""
    viewer = viewer_of(request)
    entries = [(label, url) for label, url, permission in _addresses(MENU) if permission is None or viewer.may(permission)]
    path = next((reverse(entry) for page, entry in _UNDER.items() if request.path.startswith(reverse(page))), request.path)
    # `/staff/` begins them all, and is home alone.
    home = reverse("staff:home")
    current = path if path == home else next((url for _, url in entries if url != home and path.startswith(url)), "")
    return [Entry(label, url, url == current) for label, url in entries]


@cache
def _addresses(menu: _Menu) -> _Menu:
    return tuple((label, reverse(name), permission) for label, name, permission in menu)
