"""Rights and roles in the words of staff's pages."""

from accounts.domain import Role, UserStatus
from shop.lib.viewer import Permission

PERMISSION_WORDS: dict[Permission, str] = {
    Permission.PRODUCTS_VIEW: "See products and stock",
    Permission.PRODUCTS_EDIT: "Change products and categories",
    Permission.STOCK_EDIT: "Change the stock",
    Permission.ORDERS_VIEW: "See orders",
    Permission.ORDERS_SHIP: "Ship orders",
    Permission.ORDERS_REFUND: "Cancel orders and give money back",
    Permission.CUSTOMERS_VIEW: "See customers",
    Permission.CUSTOMERS_EDIT: "Shut customers out, sign them out, send reset links",
    Permission.CUSTOMERS_DATA: "Hand out what is kept about customers, and erase their accounts",
    Permission.STAFF_MANAGE: "Invite staff and change their rights",
    Permission.REVIEWS_MODERATE: "Decide on reviews",
    Permission.DISCOUNTS_EDIT: "See and change discount codes",
    Permission.MAILS_VIEW: "See which mails went out",
    Permission.SETTINGS_EDIT: "Change settings",
    Permission.FIGURES_VIEW: "See sales figures",
    Permission.AUDIT_VIEW: "Read the audit trail",
}
"""What somebody may do, in the order in which it is asked."""
STATUS_WORDS = {UserStatus.ACTIVE: "May sign in", UserStatus.DISABLED: "Shut out"}
ROLE_WORDS = {Role.CUSTOMER: "Customer", Role.STAFF: "Staff", Role.ADMIN: "Admin"}
