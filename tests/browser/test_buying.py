"""A stranger buys something, in a real browser, with JavaScript and without."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import RunningShop

pytestmark = pytest.mark.browser

MUG = "Tide Stoneware Mug, Sand"
DECLINED, GOOD, ASKS_FIRST = "4000000000000002", "4242424242424242", "4000002500003155"


def put_mugs_in_cart(page: Page, *, script: bool) -> None:
    """From home to a cart with three mugs: two added, then changed to three."""
    page.get_by_role("navigation", name="Categories").get_by_role("link", name="Kitchen & Table").click()
    page.get_by_role("link", name=MUG).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(MUG)
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Add to cart").click()
    if script:
        expect(page.get_by_text(f"2 × {MUG} added.")).to_be_visible()
        expect(page.get_by_role("link", name=re.compile("Cart ?, 2 items"))).to_be_visible()
        page.get_by_role("link", name="View cart").click()
    expect(page.get_by_text("$61.83", exact=True)).to_be_visible()
    page.get_by_label(re.compile("Quantity")).fill("3")
    if script:
        page.keyboard.press("Tab")
    else:
        page.get_by_role("button", name=re.compile("Update")).click()
    expect(page.get_by_text("$87.75", exact=True).first).to_be_visible()


def check_out(page: Page, total: str = "$87.75") -> None:
    """From the cart to Stripe's page."""
    page.get_by_role("link", name="Check out").click()
    page.get_by_label("E-mail").fill("ada@example.com")
    page.locator("main").get_by_role("button").first.click()
    for label, value in {
        "Full name": "Ada Lovelace",
        "Street and number": "123 Main St",
        "City": "New York",
        "State": "NY",
        "ZIP code": "10001",
    }.items():
        page.get_by_label(label).fill(value)
    page.locator("main").get_by_role("button").first.click()
    page.get_by_label("Standard delivery").check()
    page.locator("main").get_by_role("button").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is everything right?")
    page.go_back()
    expect(page.get_by_label("Standard delivery")).to_be_checked()
    page.go_forward()
    page.get_by_role("button", name=f"Pay {total}").click()


def pay(page: Page, card: str, total: str = "$87.75") -> None:
    page.get_by_label("Card number").fill(card)
    page.get_by_label("Expiry date").fill("12/34")
    page.get_by_label("Security code").fill("123")
    page.get_by_label("Name on card").fill("Ada Lovelace")
    page.get_by_role("button", name=f"Pay {total}").click()


def order_number(page: Page) -> str:
    match = re.search(r"/checkout/(ord-\w+)/confirmation/", page.url)
    assert match, page.url
    return match[1]


@pytest.mark.parametrize(("script", "width"), [(True, 1280), (False, 1280)], ids=["with script", "without script"])
def test_a_stranger_buys_three_mugs_as_a_guest(shop: RunningShop, visit: Callable[..., Page], script: bool, width: int) -> None:
    before = shop.stock_of(MUG)
    page = visit("/", script=script, width=width)

    put_mugs_in_cart(page, script=script)
    check_out(page)
    pay(page, DECLINED)
    expect(page.get_by_role("alert")).to_contain_text("declined")
    pay(page, GOOD)

    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, your order is paid")
    number = order_number(page)
    page.reload()
    expect(page.get_by_role("main")).to_contain_text(number)
    assert shop.stock_of(MUG) == before - 3

    mail = visit("/_local/mail/")
    for _ in range(20):
        link = mail.get_by_role("link", name=f"Your Fernhollow order {number} is paid")
        if link.count():
            break
        mail.wait_for_timeout(250)
        mail.reload()
    link.first.click()
    expect(mail.frame_locator("iframe").get_by_text("Thank you, your order is paid")).to_be_visible()
    expect(mail.frame_locator("iframe").get_by_text("$87.75")).to_be_visible()


def test_a_card_that_asks_first_pays_after_the_banks_question(shop: RunningShop, visit: Callable[..., Page]) -> None:
    page = visit("/", width=390)
    page.get_by_role("button", name="Menu").click()

    put_mugs_in_cart(page, script=True)
    check_out(page)
    pay(page, ASKS_FIRST)
    page.get_by_role("button", name="Complete authentication").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, your order is paid")


def test_who_turns_back_at_stripe_can_pay_later_or_have_the_cart_back(shop: RunningShop, visit: Callable[..., Page]) -> None:
    before = shop.stock_of(MUG)
    page = visit("/")
    put_mugs_in_cart(page, script=True)
    check_out(page)

    page.get_by_role("link", name=re.compile("Back")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your order is not paid yet")
    assert shop.stock_of(MUG) == before - 3
    page.get_by_role("button", name="Cancel and put everything back in the cart").click()

    expect(page.get_by_text("Everything is back in your cart.")).to_be_visible()
    expect(page.get_by_text("$87.75", exact=True).first).to_be_visible()
    assert shop.stock_of(MUG) == before


def test_who_is_quicker_than_the_carts_number_has_it_asked_for_anew(shop: RunningShop, visit: Callable[..., Page]) -> None:
    page = visit("/")
    page.get_by_role("navigation", name="Categories").get_by_role("link", name="Kitchen & Table").click()
    page.get_by_role("link", name=MUG).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(MUG)
    on_arrival = re.compile(r"/cart/badge/\?arrived")
    page.route(on_arrival, lambda _: None, times=1)  # asked on arrival, and never answered
    with page.expect_request(on_arrival):
        page.reload()

    with page.expect_event("requestfailed", lambda request: on_arrival.search(request.url) is not None):
        page.get_by_role("button", name="Add to cart").click()

    # What would have been drawn before the mug was in it is given up, so that it cannot overtake this:
    expect(page.get_by_role("link", name=re.compile("Cart ?, 1 item"))).to_be_visible()


def test_a_quantity_changed_before_the_scripts_arrive_is_not_forgotten(shop: RunningShop, visit: Callable[..., Page]) -> None:
    page = visit("/")
    put_mugs_in_cart(page, script=True)
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)  # on its way, and slow

    page.route("**/vendor/htmx.min.js", hold)
    page.goto("/cart/", wait_until="commit")

    quantity = page.get_by_label(re.compile("Quantity"))
    quantity.fill("4")
    quantity.blur()
    for route in waiting:
        route.continue_()

    expect(page.get_by_text("$113.67", exact=True).first).to_be_visible()
