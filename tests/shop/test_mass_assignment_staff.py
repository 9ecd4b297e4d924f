"""Every form of staff's pages, sent as its page shows it with fields nobody asked for: nothing of those is written.

A new address that takes a form needs one line in FORMS.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts.domain import Role, UserStatus
from shop.lib.owner import Owner
from shop.lib.viewer import Viewer
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.accounts.people import log_in, make_user
from tests.conftest import TABLES, items_of
from tests.orders.paid import paid_order
from tests.shop.form_addresses import addresses
from tests.shop.forms_of_pages import forms_of
from tests.shop.test_mass_assignment import EXTRAS

pytestmark = pytest.mark.usefixtures("tables", "bucket")

STAFF_EXTRAS = {
    **EXTRAS,
    "actor": "mass-actor",
    "by": "mass-actor",
    "refunded": "987654",
    "refundable": "987654",
    "availability": "mass-availability",
    "rating": "987654",
    "uses": "987654",
    "subject": "mass-subject",
    "secondFactor": "mass-factor",
    "GSI1PK": "ORDER#mass",
    "SK": "mass-sk",
}


@dataclass(frozen=True)
class Form:
    """Where a form goes, the page it stands on (none: itself), what is filled in, what the answer is, and whether it writes.

    What is about files, or about things these staff have none of, is refused; it must not write what it was not asked for either.
    """

    path: str
    page: str = ""
    filled: dict[str, str] = field(default_factory=dict)
    status: int = 303
    writes: bool = True


PRODUCT, ORDER = "/staff/products/{mug}/", "/staff/orders/{order}/"
CUSTOMER, MEMBER = "/staff/customers/{customer}/", "/staff/team/{member}/"
FORMS: dict[str, Form] = {
    "staff:keep_filter": Form("/staff/filters/orders/", filled={"name": "Mine", "query": "status=pending"}),
    "staff:forget_filter": Form("/staff/filters/orders/none-1/", writes=False),
    "staff:doctor_mail": Form("/staff/doctor/mail/", "/staff/doctor/", writes=False),
    "catalog_staff:create_category": Form("/staff/new-category/", "/staff/categories/", {"name": "Glass"}),
    "catalog_staff:category": Form("/staff/categories/glass/", filled={"intro": "Of glass."}),
    "catalog_staff:place_category": Form("/staff/categories/glass/place/", "/staff/categories/", {"to": "up"}),
    "catalog_staff:remove_category": Form("/staff/categories/glass/remove/", "/staff/categories/"),
    "catalog_staff:new_product": Form(
        "/staff/products/new/",
        filled={"name": "Bowl", "price": "12.00", "category": "Kitchen & Table", "sku": "BOWL", "status": "draft"},
    ),
    "catalog_staff:save_product": Form(PRODUCT + "save/", PRODUCT, {"name": "Big mug"}),
    "catalog_staff:bulk_products": Form("/staff/products/bulk/", "/staff/products/bulk/?id={mug}&action=price&percent=5"),
    "catalog_staff:duplicate_product": Form(PRODUCT + "duplicate/", PRODUCT),
    "catalog_staff:change_photos": Form(PRODUCT + "photographs/", filled={"do": "texts"}, writes=False),
    "catalog_staff:start_photo": Form(PRODUCT + "photographs/start/", status=422, writes=False),
    "catalog_staff:finish_photo": Form(PRODUCT + "photographs/finish/", filled={"key": "none"}, writes=False),
    "catalog_staff:change_stock": Form("/staff/stock/change/", "/staff/stock/", {"stock.{mug}.17": "+5"}),
    "catalog_staff:paste_stock": Form("/staff/stock/paste/", filled={"lines": "{sku}\t+2", "apply": "1"}),
    "catalog_staff:begin_import": Form("/staff/transfers/begin/", filled={"key": "none"}, writes=False),
    "catalog_staff:export_products": Form("/staff/transfers/export/", "/staff/transfers/"),
    "catalog_staff:check_import": Form("/staff/transfers/none-1/check/", status=404, writes=False),
    "catalog_staff:apply_import": Form("/staff/transfers/none-1/apply/", status=404, writes=False),
    "catalog_staff:decide_review": Form(
        "/staff/reviews/{mug}/none-1/", filled={"status": "approved", "seen": "pending"}, status=404, writes=False
    ),
    "cart_staff:new_discount": Form("/staff/discounts/new/", filled={"code": "SPRING", "kind": "percent", "percent": "10"}),
    "cart_staff:discount": Form("/staff/discounts/SPRING/", filled={"percent": "12"}),
    "cart_staff:switch_discount": Form("/staff/discounts/SPRING/switch/", "/staff/discounts/SPRING/"),
    "cart_staff:delete_discount": Form("/staff/discounts/SPRING/delete/"),
    "orders_staff:send_mail": Form(ORDER + "mails/confirmation/send/", ORDER + "mails/confirmation/"),
    "orders_staff:note": Form(ORDER + "notes/", ORDER, {"text": "Wants it wrapped."}),
    "orders_staff:refund": Form(ORDER + "refund/", ORDER + "refund/?number=1&delivery=on&note=late"),
    "orders_staff:ship": Form("/staff/orders/{shipped}/ship/", filled={"carrier": "UPS", "tracking_number": "1Z999"}),
    "orders_staff:deliver": Form("/staff/orders/{shipped}/deliver/", "/staff/orders/{shipped}/"),
    "orders_staff:end_review": Form(ORDER + "review/", writes=False),
    "orders_staff:cancel": Form(ORDER + "cancel/", filled={"note": "They asked."}),
    "orders_staff:finding": Form("/staff/reconciliation/stock/{mug}/", status=404, writes=False),
    "accounts_staff:note": Form(CUSTOMER + "notes/", CUSTOMER, {"text": "Likes clay."}),
    "accounts_staff:sign_out": Form(CUSTOMER + "sign-out/"),
    "accounts_staff:reset": Form(CUSTOMER + "reset/", CUSTOMER),
    "accounts_staff:second_factor": Form(CUSTOMER + "second-factor/", writes=False),
    "accounts_staff:customer_status": Form(CUSTOMER + "status/"),
    "orders_staff:customer_data": Form(CUSTOMER + "data/", filled={"typed": "grace@example.com"}, status=200),
    "orders_staff:change_customers": Form(
        "/staff/customers/several/", "/staff/customers/several/?id={idle}&id={member}&act=shut-out"
    ),
    "orders_staff:erase_customers": Form(
        "/staff/customers/several/erase/", "/staff/customers/several/erase/?id={out}", {"typed": "1"}
    ),
    "orders_staff:erase_customer": Form(CUSTOMER + "erase/", filled={"typed": "grace@example.com"}),
    "accounts_staff:invite": Form(
        "/staff/team/invite/",
        filled={
            "first_name": "Ivo",
            "last_name": "Lam",
            "email": "ivo@example.com",
            "role": "staff",
            "permissions": "orders.view",
        },
    ),
    "accounts_staff:member": Form(MEMBER, filled={"role": "staff", "permissions": "orders.view"}),
    "accounts_staff:invite_again": Form(MEMBER + "invitation/", MEMBER),
    "accounts_staff:member_second_factor": Form(MEMBER + "second-factor/", writes=False),
    "accounts_staff:member_status": Form(MEMBER + "status/"),
    "catalog_staff:delete_product": Form("/staff/products/{spare}/delete/"),
}


@pytest.fixture
def ids(stripe: FakeStripe, now: datetime) -> dict[str, str]:
    """What staff's pages are about."""
    customer = make_user(now, email="grace@example.com")
    log_in(Client(), "grace@example.com")
    owner = Owner(customer.user_id, is_guest=False)
    factories.make_category()
    mug = factories.make_product()
    return {
        "mug": mug.product_id,
        "sku": mug.sku,
        "spare": factories.make_product().product_id,
        "order": paid_order(stripe, owner, {mug.product_id: 2}, now).order_id,
        "shipped": paid_order(stripe, owner, {mug.product_id: 1}, now + timedelta(seconds=1)).order_id,
        "customer": customer.user_id,
        "idle": make_user(now, email="idle@example.com").user_id,
        "out": make_user(now, email="out@example.com", status=UserStatus.DISABLED).user_id,
        "member": make_user(now, email="boris@example.com", role=Role.STAFF, granted=frozenset({"orders.view"})).user_id,
    }


def test_every_staff_address_that_takes_a_form_is_in_the_table(client: Client, sign_in: Callable[..., Viewer]) -> None:
    sign_in(client, role="admin")
    staff = addresses(lambda route: route.startswith("staff/"))

    taking = {name for name, path in staff.items() if client.post(path).status_code != 405}

    assert taking == set(FORMS)


def _written() -> str:
    return str([sorted(map(str, items_of(table))) for table in TABLES])


def test_what_no_form_of_staff_asks_for_is_written_nowhere(
    ids: dict[str, str], client: Client, sign_in: Callable[..., Viewer]
) -> None:
    sign_in(client, role="admin")
    answers, smuggled = {}, {}
    for name, form in FORMS.items():
        path = form.path.format(**ids)
        shown = forms_of(client, (form.page or form.path).format(**ids)).get(path, {})
        fields = shown | {one.format(**ids): text.format(**ids) for one, text in form.filled.items()}
        extras = {one: value for one, value in STAFF_EXTRAS.items() if one not in fields}
        before = _written()

        status = client.post(path, fields | extras).status_code

        written = _written()
        answers[name] = (status, written != before)
        smuggled[name] = sorted({value for value in extras.values() if f"'{value}'" in written})
    assert {name: found for name, found in smuggled.items() if found} == {}
    assert answers == {name: (form.status, form.writes) for name, form in FORMS.items()}
