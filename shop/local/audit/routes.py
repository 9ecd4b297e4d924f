"""Every address of the shop: as whom the audit opens it and with what, or why it is no page.

A new address needs one entry in ROUTES, or `tests/shop/local/test_audit.py` fails. What stands after an argument of the address
is the name of something that `stage.py` has prepared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Who(StrEnum):
    """Who looks."""

    STRANGER = "stranger"
    """Somebody who has never been here."""
    GUEST = "guest"
    """Somebody without an account, with a cart and orders."""
    SHOPPER = "shopper"
    """Somebody signed in, with a cart and orders."""
    ADMIN = "admin"


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A page as somebody sees it."""

    who: Who
    given: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    """What follows the address; `{name}` is something prepared."""
    wrong: str = ""
    """The form that is sent off emptied after the first look, so that the page is looked at with its mistakes too."""
    status: int = 200


@dataclass(frozen=True)
class NotAPage:
    """An address that answers no page of its own."""

    reason: str


Route = tuple[Visit, ...] | NotAPage

_ACTION = NotAPage("does something and leads on")
_FRAGMENT = NotAPage("a part of pages, which are looked at with it")
_FILE = NotAPage("a file")
_BOTH = (Who.GUEST, Who.SHOPPER)
_FORM = "main form[method=post]"
PROGRAMS = "api/v1/"
"""Below it answers JSON, to programs."""


def seen_by(*who: Who, query: str = "", wrong: str = "", status: int = 200, **given: str) -> tuple[Visit, ...]:
    """The page as each of them sees it."""
    return tuple(Visit(who=one, given=given, query=query, wrong=wrong, status=status) for one in who)


def staff(query: str = "", *, wrong: str = "", **given: str) -> tuple[Visit, ...]:
    """The page as an admin sees it."""
    return (Visit(who=Who.ADMIN, given=given, query=query, wrong=wrong),)


def by_link(thing: str, *, wrong: str = "") -> tuple[Visit, ...]:
    """The page that a mailed link with this secret leads to."""
    return (Visit(who=Who.STRANGER, given={"secret": thing}, wrong=wrong),)


_SHOP: dict[str, Route] = {
    "catalog:home": seen_by(Who.STRANGER, *_BOTH),
    "catalog:list": (
        *seen_by(Who.STRANGER, *_BOTH),
        *seen_by(Who.STRANGER, query="?q=lamp"),
        *seen_by(Who.STRANGER, query="?q=lammp&in_stock=on"),
        *seen_by(Who.STRANGER, query="?q=xyzzy"),
        *seen_by(Who.STRANGER, query="?brand=Saltmere&price_max=1"),
        *seen_by(Who.STRANGER, query="?sort=price&page=3"),
    ),
    "catalog:category": (*seen_by(Who.STRANGER, *_BOTH, slug="category"), *seen_by(Who.STRANGER, slug="nothing", status=404)),
    "catalog:product": (
        *seen_by(Who.STRANGER, *_BOTH, product_id="product", slug="product_slug"),
        *seen_by(Who.STRANGER, product_id="sold_out", slug="sold_out_slug"),
        *seen_by(Who.STRANGER, product_id="family", slug="family_slug"),
        *seen_by(Who.STRANGER, product_id="nothing", slug="nothing", status=404),
    ),
    "catalog:reviews": seen_by(Who.STRANGER, product_id="product", slug="product_slug"),
    "catalog:tell_me": seen_by(Who.STRANGER, product_id="sold_out", wrong=_FORM),
    "catalog:recent": _FRAGMENT,
    "catalog:forget_recent": _ACTION,
    "catalog:suggestions": _FRAGMENT,
    "catalog:sitemap": _FILE,
    "catalog:sitemap_shelves": _FILE,
    "catalog:sitemap_products": _FILE,
    "cart:cart": (*seen_by(Who.STRANGER), *seen_by(*_BOTH, wrong="main form[action$='/code/']")),
    "cart:badge": _FRAGMENT,
    "cart:add": _ACTION,
    "cart:update": _ACTION,
    "cart:remove": _ACTION,
    "cart:code": _ACTION,
    "cart:remove-code": _ACTION,
}
_ACCOUNTS: dict[str, Route] = {
    "accounts:home": seen_by(Who.SHOPPER),
    "accounts:register": seen_by(Who.STRANGER, wrong=_FORM),
    "accounts:registered": seen_by(Who.STRANGER),
    "accounts:verify": by_link("verify", wrong=_FORM),
    "accounts:login": seen_by(Who.STRANGER, wrong=_FORM),
    "accounts:logout": _ACTION,
    "accounts:password_reset": seen_by(Who.STRANGER, wrong=_FORM),
    "accounts:password_reset_sent": seen_by(Who.STRANGER),
    "accounts:reset": by_link("reset", wrong=_FORM),
    "accounts:second_factor": seen_by(Who.SHOPPER, wrong=_FORM),
    "accounts:second_factor_off": _ACTION,
    "accounts:profile": seen_by(Who.SHOPPER, wrong=_FORM),
    "accounts:addresses": seen_by(Who.SHOPPER),
    "accounts:add_address": seen_by(Who.SHOPPER, wrong=_FORM),
    "accounts:change_address": seen_by(Who.SHOPPER, address_id="address", wrong=_FORM),
    "accounts:remove_address": _ACTION,
    "accounts:default_address": _ACTION,
    "accounts:change_password": seen_by(Who.SHOPPER, wrong=_FORM),
    "accounts:change_email": seen_by(Who.SHOPPER, wrong=_FORM),
    "accounts:email_old": by_link("email_old"),
    "accounts:email_new": by_link("email_new"),
    "accounts:sessions": seen_by(Who.SHOPPER),
    "accounts:end_session": _ACTION,
    "accounts:end_other_sessions": _ACTION,
    "accounts:cognito": NotAPage("leads to the user pool"),
    "accounts:cognito_return": NotAPage("where the user pool leads back to; it leads on"),
    "orders:data": seen_by(Who.SHOPPER),
    "orders:download_data": _FILE,
    "orders:delete_account": seen_by(Who.SHOPPER, wrong=_FORM),
    "orders:cards": seen_by(Who.SHOPPER),
    "orders:default_card": _ACTION,
    "orders:remove_card": _ACTION,
}
_ORDERS: dict[str, Route] = {
    "orders:checkout": NotAPage("leads to the first step that is open"),
    "orders:contact": seen_by(*_BOTH, wrong=_FORM),
    "orders:address": seen_by(*_BOTH, wrong=_FORM),
    "orders:delivery": seen_by(*_BOTH),
    "orders:review": seen_by(*_BOTH),
    "orders:place": _ACTION,
    "orders:pay": seen_by(Who.GUEST, order_id="guest_unpaid"),
    "orders:cancel": _ACTION,
    "orders:keep": _ACTION,
    "orders:return": NotAPage("where the payment page leads back to; it leads on"),
    "orders:confirmation": (*seen_by(Who.GUEST, order_id="guest_paid"), *seen_by(Who.SHOPPER, order_id="paid")),
    "orders:orders": (*seen_by(Who.SHOPPER), *seen_by(Who.SHOPPER, query="?status=cancelled")),
    "orders:find": seen_by(Who.STRANGER, wrong=_FORM),
    "orders:found": seen_by(Who.STRANGER),
    "orders:order": (
        *seen_by(Who.STRANGER, order_id="guest_paid", query="?key={guest_paid_key}"),
        *seen_by(Who.SHOPPER, order_id="paid"),
        *seen_by(Who.SHOPPER, order_id="shipped"),
        *seen_by(Who.SHOPPER, order_id="refunded"),
        *seen_by(Who.STRANGER, order_id="nothing", status=404),
    ),
    "orders:cancel_paid": seen_by(Who.SHOPPER, order_id="paid"),
    "orders:again": _ACTION,
    "orders:invoice": _FILE,
    "orders:credit_note": _FILE,
    "orders:review_product": (
        *seen_by(Who.SHOPPER, order_id="shipped", product_id="product", wrong=_FORM),
        *seen_by(Who.SHOPPER, order_id="refunded", product_id="reviewed"),
    ),
    "orders:open_account": seen_by(Who.STRANGER, order_id="guest_paid", query="?key={guest_paid_key}", wrong=_FORM),
    "orders:stripe_webhook": NotAPage("Stripe calls it"),
}
_STAFF: dict[str, Route] = {
    "staff:home": (*staff(), *staff("?period=7"), *seen_by(Who.SHOPPER, status=403)),
    "staff:chart": NotAPage("a picture"),
    "staff:health": _FRAGMENT,
    "staff:audit": staff(),
    "staff:doctor": staff(),
    "staff:doctor_mail": _ACTION,
    "staff:mails": (*staff(), *staff("?state=failed")),
    "staff:keep_filter": _ACTION,
    "staff:forget_filter": _ACTION,
    "staff:search": NotAPage("leads to what was meant, or to a list of it"),
    "accounts_staff:customers": (*staff(), *staff("?tab=unused"), *staff("?tab=out"), *staff("?q=nobody@example.com")),
    "accounts_staff:note": _ACTION,
    "accounts_staff:customer_status": staff(user_id="shopper"),
    "accounts_staff:sign_out": _ACTION,
    "accounts_staff:reset": _ACTION,
    "accounts_staff:second_factor": _ACTION,
    "accounts_staff:team": staff(),
    "accounts_staff:invite": staff(wrong=_FORM),
    "accounts_staff:member": staff(user_id="member"),
    "accounts_staff:member_status": staff(user_id="member"),
    "accounts_staff:invite_again": _ACTION,
    "accounts_staff:member_second_factor": _ACTION,
    "cart_staff:discounts": (*staff(), *staff("?state=ended")),
    "cart_staff:new_discount": staff(wrong=_FORM),
    "cart_staff:discount": staff(code="code"),
    "cart_staff:switch_discount": _ACTION,
    "cart_staff:delete_discount": staff(code="code"),
    "cart_staff:tariffs": (*staff(), *staff("?country=GB")),
    "catalog_staff:stock": (*staff(), *staff("?q=lamp")),
    "catalog_staff:change_stock": _ACTION,
    "catalog_staff:paste_stock": staff(wrong=_FORM),
    "catalog_staff:movements": staff(product_id="product"),
    "catalog_staff:categories": staff(),
    "catalog_staff:create_category": _ACTION,
    "catalog_staff:category": staff(slug="category", wrong=_FORM),
    "catalog_staff:place_category": _ACTION,
    "catalog_staff:remove_category": _ACTION,
    "catalog_staff:products": (*staff(), *staff("?tab=drafts"), *staff("?q=xyzzy")),
    "catalog_staff:new_product": staff(wrong=_FORM),
    "catalog_staff:bulk_products": staff("?id={product}&id={other}&action=archive"),
    "catalog_staff:product": staff(product_id="product"),
    "catalog_staff:save_product": _ACTION,
    "catalog_staff:duplicate_product": _ACTION,
    "catalog_staff:delete_product": staff(product_id="product"),
    "catalog_staff:change_photos": _ACTION,
    "catalog_staff:add_photo": NotAPage("storage leads back to it, and it leads on"),
    "catalog_staff:start_photo": _ACTION,
    "catalog_staff:finish_photo": _ACTION,
    "catalog_staff:transfers": (*staff(), *staff("?key=uploads/none")),
    "catalog_staff:import_template": _FILE,
    "catalog_staff:begin_import": _ACTION,
    "catalog_staff:export_products": _ACTION,
    "catalog_staff:transfer": (*staff(transfer_id="import"), *staff(transfer_id="checked"), *staff(transfer_id="export")),
    "catalog_staff:check_import": _ACTION,
    "catalog_staff:apply_import": _ACTION,
    "catalog_staff:fetch_export": _FILE,
    "catalog_staff:reviews": (*staff(), *staff("?status=approved")),
    "catalog_staff:decide_review": _ACTION,
    "orders_staff:orders": (*staff(), *staff("?status=cancelled")),
    "orders_staff:export": _FILE,
    "orders_staff:order": (*staff(order_id="paid"), *staff(order_id="refunded"), *staff(order_id="guest_unpaid")),
    "orders_staff:invoice": _FILE,
    "orders_staff:credit_note": _FILE,
    "orders_staff:packing_slip": _FILE,
    "orders_staff:ship": staff(order_id="paid"),
    "orders_staff:deliver": _ACTION,
    "orders_staff:cancel": staff(order_id="paid"),
    "orders_staff:refund": staff(order_id="paid"),
    "orders_staff:end_review": _ACTION,
    "orders_staff:note": _ACTION,
    "orders_staff:mail": staff(order_id="paid", origin="mail_origin"),
    "orders_staff:mail_content": NotAPage("a mail, drawn in a frame of its page"),
    "orders_staff:send_mail": _ACTION,
    "orders_staff:customer": staff(user_id="shopper"),
    "orders_staff:change_customers": staff("?id={shopper}&id={member}&act=shut-out"),
    "orders_staff:erase_customers": (*staff("?id={shopper}"), *staff("?id={idle}", wrong=_FORM)),
    "orders_staff:customer_data": staff(user_id="shopper"),
    "orders_staff:erase_customer": staff(user_id="shopper"),
    "orders_staff:findings": staff(),
    "orders_staff:finding": staff(kind="finding", subject="finding_subject", wrong="main form:has([name=note])"),
}
_REST: dict[str, Route] = {
    "terms": seen_by(Who.STRANGER),
    "privacy": seen_by(Who.STRANGER),
    "delivery_and_returns": seen_by(Who.STRANGER),
    "contact": seen_by(Who.STRANGER),
    "healthz": NotAPage("for monitors"),
    "favicon": _FILE,
    "robots": _FILE,
    "local:mail_list": seen_by(Who.STRANGER),
    "local:mail_detail": seen_by(Who.STRANGER, mail_id="mail"),
    "local:mail_html": NotAPage("a mail, drawn in a frame of its page"),
    "local:media": _FILE,
}
ROUTES: dict[str, Route] = _SHOP | _ACCOUNTS | _ORDERS | _STAFF | _REST
"""By the name of the address."""
