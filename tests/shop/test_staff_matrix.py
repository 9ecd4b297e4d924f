"""Every staff address x everybody: a page that is not in this table fails, and so does one that lets the wrong people in.

A new page needs one line in MATRIX: the name of its address, what each method it answers asks for (None: any permission).
"""

from collections.abc import Callable

import pytest
from django.test import Client

from shop.lib.access import Permission
from shop.staff_menu import MENU
from tests.shop.form_addresses import addresses

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., object]

Needed = dict[str, Permission | None]


def read(permission: Permission | None) -> Needed:
    return {"GET": permission}


def write(permission: Permission) -> Needed:
    return {"POST": permission}


def both(permission: Permission) -> Needed:
    return read(permission) | write(permission)


MATRIX: dict[str, Needed] = {
    "staff:home": read(None),
    # Both are about a list, and ask for what it asks for.
    "staff:keep_filter": {"POST": None},
    "staff:forget_filter": {"POST": None},
    "staff:health": read(Permission.SETTINGS_EDIT),
    "staff:audit": read(Permission.AUDIT_VIEW),
    "staff:doctor": read(Permission.SETTINGS_EDIT),
    "staff:doctor_mail": write(Permission.SETTINGS_EDIT),
    "staff:mails": read(Permission.MAILS_VIEW),
    "staff:search": read(None),
    "staff:chart": read(Permission.FIGURES_VIEW),
    "accounts_staff:customers": read(Permission.CUSTOMERS_VIEW),
    "orders_staff:customer": read(Permission.CUSTOMERS_VIEW),
    "orders_staff:change_customers": both(Permission.CUSTOMERS_EDIT),
    "orders_staff:erase_customers": both(Permission.CUSTOMERS_DATA),
    "orders_staff:customer_data": both(Permission.CUSTOMERS_DATA),
    "orders_staff:erase_customer": both(Permission.CUSTOMERS_DATA),
    "accounts_staff:note": write(Permission.CUSTOMERS_VIEW),
    "accounts_staff:customer_status": both(Permission.CUSTOMERS_EDIT),
    "accounts_staff:sign_out": write(Permission.CUSTOMERS_EDIT),
    "accounts_staff:reset": write(Permission.CUSTOMERS_EDIT),
    "accounts_staff:second_factor": write(Permission.CUSTOMERS_EDIT),
    "accounts_staff:team": read(Permission.STAFF_MANAGE),
    "accounts_staff:invite": both(Permission.STAFF_MANAGE),
    "accounts_staff:member": both(Permission.STAFF_MANAGE),
    "accounts_staff:member_status": both(Permission.STAFF_MANAGE),
    "accounts_staff:member_second_factor": write(Permission.STAFF_MANAGE),
    "accounts_staff:invite_again": write(Permission.STAFF_MANAGE),
    "catalog_staff:products": read(Permission.PRODUCTS_VIEW),
    "catalog_staff:product": read(Permission.PRODUCTS_VIEW),
    "catalog_staff:save_product": write(Permission.PRODUCTS_EDIT),
    "catalog_staff:new_product": both(Permission.PRODUCTS_EDIT),
    "catalog_staff:bulk_products": both(Permission.PRODUCTS_EDIT),
    "catalog_staff:duplicate_product": write(Permission.PRODUCTS_EDIT),
    "catalog_staff:delete_product": both(Permission.PRODUCTS_EDIT),
    "catalog_staff:change_photos": write(Permission.PRODUCTS_EDIT),
    "catalog_staff:add_photo": read(Permission.PRODUCTS_EDIT),
    "catalog_staff:start_photo": write(Permission.PRODUCTS_EDIT),
    "catalog_staff:finish_photo": write(Permission.PRODUCTS_EDIT),
    "catalog_staff:stock": read(Permission.PRODUCTS_VIEW),
    "catalog_staff:movements": read(Permission.PRODUCTS_VIEW),
    "catalog_staff:change_stock": write(Permission.STOCK_EDIT),
    "catalog_staff:paste_stock": both(Permission.STOCK_EDIT),
    "catalog_staff:categories": read(Permission.PRODUCTS_VIEW),
    "catalog_staff:create_category": write(Permission.PRODUCTS_EDIT),
    "catalog_staff:category": both(Permission.PRODUCTS_EDIT),
    "catalog_staff:place_category": write(Permission.PRODUCTS_EDIT),
    "catalog_staff:remove_category": write(Permission.PRODUCTS_EDIT),
    "catalog_staff:transfers": read(Permission.PRODUCTS_EDIT),
    "catalog_staff:import_template": read(Permission.PRODUCTS_EDIT),
    "catalog_staff:begin_import": write(Permission.PRODUCTS_EDIT),
    "catalog_staff:export_products": write(Permission.PRODUCTS_EDIT),
    "catalog_staff:transfer": read(Permission.PRODUCTS_EDIT),
    "catalog_staff:check_import": write(Permission.PRODUCTS_EDIT),
    "catalog_staff:apply_import": write(Permission.PRODUCTS_EDIT),
    "catalog_staff:fetch_export": read(Permission.PRODUCTS_EDIT),
    "catalog_staff:reviews": read(Permission.REVIEWS_MODERATE),
    "catalog_staff:decide_review": write(Permission.REVIEWS_MODERATE),
    "cart_staff:discounts": read(Permission.DISCOUNTS_EDIT),
    "cart_staff:new_discount": both(Permission.DISCOUNTS_EDIT),
    "cart_staff:discount": both(Permission.DISCOUNTS_EDIT),
    "cart_staff:switch_discount": write(Permission.DISCOUNTS_EDIT),
    "cart_staff:delete_discount": both(Permission.DISCOUNTS_EDIT),
    "cart_staff:tariffs": read(Permission.ORDERS_VIEW),
    "orders_staff:orders": read(Permission.ORDERS_VIEW),
    "orders_staff:export": read(Permission.ORDERS_VIEW),
    "orders_staff:order": read(Permission.ORDERS_VIEW),
    "orders_staff:invoice": read(Permission.ORDERS_VIEW),
    "orders_staff:credit_note": read(Permission.ORDERS_VIEW),
    "orders_staff:packing_slip": read(Permission.ORDERS_VIEW),
    "orders_staff:mail": read(Permission.ORDERS_VIEW),
    "orders_staff:mail_content": read(Permission.ORDERS_VIEW),
    "orders_staff:send_mail": write(Permission.ORDERS_SHIP),
    "orders_staff:note": write(Permission.ORDERS_VIEW),
    "orders_staff:ship": both(Permission.ORDERS_SHIP),
    "orders_staff:deliver": write(Permission.ORDERS_SHIP),
    "orders_staff:cancel": both(Permission.ORDERS_REFUND),
    "orders_staff:refund": both(Permission.ORDERS_REFUND),
    "orders_staff:end_review": write(Permission.ORDERS_REFUND),
    "orders_staff:findings": read(Permission.ORDERS_VIEW),
    "orders_staff:finding": both(Permission.ORDERS_REFUND),
}


def _addresses() -> dict[str, str]:
    return addresses(lambda route: route.startswith("staff/"))


def _refusal(client: Client, method: str, url: str) -> int | None:
    """401 for who is sent to log in, 403 for who may not; None for who may."""
    answer = client.generic(method, url)
    if answer.status_code == 303 and answer["Location"].startswith("/accounts/login/"):
        return 401
    return 403 if answer.status_code == 403 else None


def test_every_staff_address_is_in_the_table_and_every_line_of_it_is_an_address() -> None:
    assert sorted(_addresses()) == sorted(MATRIX)


@pytest.mark.parametrize(("name", "method"), [(name, method) for name, needed in MATRIX.items() for method in needed])
def test_who_may(request: pytest.FixtureRequest, sign_in: SignIn, name: str, method: str) -> None:
    if name == "catalog_staff:export_products":  # writes a file
        request.getfixturevalue("bucket")
    url, permission = _addresses()[name], MATRIX[name][method]
    guest, shopper, without, with_it, admin = (Client() for _ in range(5))
    sign_in(shopper)
    sign_in(with_it, str(permission or Permission.ORDERS_SHIP))
    sign_in(admin, role="admin")

    assert _refusal(guest, method, url) == 401
    assert _refusal(shopper, method, url) == 403
    assert _refusal(admin, method, url) is None
    if permission is not MATRIX[name].get("GET"):  # what changes something may be on a page that asks for less
        sign_in(with_it, str(permission), str(MATRIX[name].get("GET") or permission))
    assert _refusal(with_it, method, url) is None
    if permission:
        sign_in(without, *(str(one) for one in Permission if one is not permission))
        assert _refusal(without, method, url) == 403


@pytest.mark.parametrize("name", MATRIX)
def test_no_other_method_is_answered(client: Client, sign_in: SignIn, name: str) -> None:
    sign_in(client, role="admin")
    for method in {"GET", "POST", "PUT", "DELETE"} - set(MATRIX[name]):
        assert client.generic(method, _addresses()[name]).status_code == 405, method


def test_the_menu_asks_for_what_the_pages_ask_for() -> None:
    assert {name: permission for _, name, permission in MENU} == {name: MATRIX[name]["GET"] for _, name, _ in MENU}
