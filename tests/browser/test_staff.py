"""A day at the shop's desk, in a real browser, with JavaScript and without."""

import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from shop.local.people import PASSWORD
from tests.browser.conftest import RunningShop
from tests.browser.test_buying import GOOD, check_out, order_number, pay

pytestmark = pytest.mark.browser

PHOTOGRAPHS = [
    Path(__file__).parents[2] / "shop/local/demo/images" / name
    for name in ("meadow-teapot-sage.webp", "meadow-teapot-charcoal.webp")
]
TOTAL, HALF = "$117.99", "$54.00"
"""Two at $50.00, tax of 8 % and delivery of $9.99; one of them with its tax."""


def make_product(page: Page, name: str) -> None:
    """A product on sale, as staff write it, without photographs and stock."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Description").fill("Thrown by hand, glazed twice.")
    page.get_by_label("SKU", exact=True).fill(name)
    page.get_by_label("Category", exact=True).select_option("Kitchen & Table")
    page.get_by_label("Price", exact=True).fill("50.00")
    page.get_by_label("Status").select_option("Active")
    page.get_by_role("button", name="Create it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def add_photographs(page: Page, *, script: bool) -> None:
    """Two photographs, the way there is."""
    if script:
        page.locator("#upload").set_input_files(PHOTOGRAPHS)
    else:
        for photograph in PHOTOGRAPHS:
            page.get_by_role("link", name="Add a photograph").click()
            page.get_by_label("Photograph").set_input_files(photograph)
            page.get_by_role("button", name="Send it").click()
            page.get_by_role("button", name="Add it to").click()
    expect(page.locator("#photographs .thumb")).to_have_count(2)


def buy_two(page: Page, name: str, *, script: bool) -> str:
    """A stranger's order of two pieces, paid; its number."""
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Add to cart").click()
    if script:
        page.get_by_role("link", name="View cart").click()
    check_out(page, TOTAL)
    pay(page, GOOD, TOTAL)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, your order is paid")
    return order_number(page)


def send(staff: Page, check: Callable[[Page], None]) -> None:
    """From the order's page, with a parcel that can be followed."""
    staff.get_by_role("link", name="Ship", exact=True).click()
    check(staff)
    staff.get_by_label("Carrier").fill("UPS")
    staff.get_by_label("Tracking number").fill("1Z 999 AA1")
    staff.get_by_role("button", name="It has left").click()
    expect(staff.get_by_role("heading", level=1)).to_contain_text("Shipped")


def give_one_back(staff: Page, name: str, check: Callable[[Page], None]) -> None:
    """The money for one of the two, from the order's page."""
    staff.get_by_role("link", name="Refund", exact=True).click()
    check(staff)
    staff.get_by_label(name).fill("1")
    staff.get_by_role("button", name="See what goes back").click()
    check(staff)
    staff.get_by_role("button", name=f"Refund {HALF}").click()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_product_is_made_sold_sent_and_half_of_it_given_back(
    shop: RunningShop, visit: Callable[..., Page], axe: Callable[[Page], None], script: bool
) -> None:
    name = f"Teapot {uuid.uuid4().hex[:8]}"
    check = axe if script else lambda page: expect(page.locator("h1")).to_have_count(1)
    staff = visit("/accounts/login/?next=/staff/products/new/", script=script)
    staff.get_by_label("E-mail").fill("admin@example.com")
    staff.get_by_label("Password").fill(PASSWORD)
    staff.locator("main form button[type=submit]").first.click()

    make_product(staff, name)
    editor = staff.url
    add_photographs(staff, script=script)
    check(staff)
    staff.get_by_role("link", name="Change it, and what went in and out").click()
    staff.get_by_label("New count, or + −").fill("5")
    check(staff)
    staff.get_by_role("button", name="Change the stock").click()
    expect(staff.get_by_role("heading", level=1)).to_contain_text("5 in stock")
    staff.goto(editor)
    address = str(staff.get_by_role("link", name="View in shop").get_attribute("href"))

    number = buy_two(visit(address, script=script), name, script=script)
    assert shop.stock_of(name) == 3

    staff.goto(f"/staff/orders/{number}/")
    check(staff)
    if script:
        staff.keyboard.press("k")
        expect(staff.get_by_text("This is the newest order.")).to_be_visible()
    send(staff, check)
    give_one_back(staff, name, check)
    row = staff.get_by_role("row").filter(has_text=name)
    expect(row.locator("td.num")).to_have_text(["2", "2", "1", "$50.00", "$100.00"])
    expect(staff.locator("#timeline + ol")).to_contain_text(re.compile("UPS|Shipped"))
    check(staff)
    assert shop.stock_of(name) == 3

    staff.goto("/staff/audit/")
    expect(staff.get_by_role("row").filter(has_text="photographs changed").first).to_contain_text("Ines Falk")
    expect(staff.get_by_role("row").filter(has_text=name).filter(has_text="created")).to_have_count(1)
    check(staff)
