"""Turning back, refreshing, losing the connection: what checkout and cart were told is neither lost nor asked for twice."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import RunningShop

pytestmark = pytest.mark.browser


def put_in_cart(page: Page) -> None:
    page.goto("/categories/kitchen-table/")
    page.locator("main .card a").first.click()
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text(re.compile(r" added\.")).first).to_be_visible()


def go_on(page: Page) -> None:
    page.locator("main form button[type=submit]").first.click()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_back_and_refresh_after_a_mistake_ask_for_nothing_and_lose_nothing(visit: Callable[..., Page], script: bool) -> None:
    page = visit("/", script=script)
    put_in_cart(page)
    page.goto("/checkout/contact/")
    mail = page.get_by_label("E-mail")

    mail.fill("ada")
    go_on(page)
    expect(page.get_by_role("alert").first).to_contain_text("Nothing is lost.")
    expect(page.get_by_role("alert").first).to_be_focused()
    page.reload()
    expect(mail).to_have_value("ada")
    mail.fill("ada@example.com")
    go_on(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Where shall we send it?")
    page.get_by_role("textbox", name="ZIP code", exact=True).fill("!!!!")
    expect(page.get_by_role("textbox", name="State", exact=True)).to_be_visible()
    page.get_by_label("City").fill("  London")
    page.get_by_label("Country").select_option("GB")
    expect(page.get_by_role("textbox", name="County (optional)", exact=True)).to_be_visible()
    expect(page.get_by_role("textbox", name="Postcode", exact=True)).to_have_value("!!!!")
    page.get_by_label("Country").select_option("DE")
    expect(page.get_by_role("textbox", name="Region (optional)", exact=True)).to_be_visible()
    expect(page.get_by_role("textbox", name="Postal code", exact=True)).to_be_visible()
    page.get_by_label("Country").select_option("GB")
    go_on(page)
    expect(page.locator("#id_zip_code_error")).to_have_text("A postcode in the United Kingdom looks like SW1A 1AA.")

    page.go_back()
    if page.url.endswith("/address/"):  # the form as it was before it was sent
        page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("How can we reach you?")
    expect(mail).to_have_value("ada@example.com")
    page.goto("/checkout/address/")
    expect(page.get_by_role("textbox", name="Postcode", exact=True)).to_have_value("!!!!")
    expect(page.get_by_label("City")).to_have_value("  London")
    expect(page.get_by_label("Country")).to_have_value("GB")


def test_a_line_taken_out_is_put_back_by_the_keyboard(visit: Callable[..., Page], axe: Callable[[Page], None]) -> None:
    page = visit("/", width=390)
    put_in_cart(page)
    page.goto("/cart/")
    name = page.locator(".line-name").inner_text()
    page.get_by_role("button", name=f"Remove {name}").press("Enter")
    expect(page.get_by_text(f"{name} is out of your cart.", exact=True)).to_be_visible()
    expect(page.locator("#status")).to_have_text(f"{name} is out of your cart. Your cart is empty")
    axe(page)

    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Put it back")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"1 × {name} added.")).to_be_visible()
    page.get_by_role("button", name=f"Remove {name}").click()
    expect(page.get_by_text(f"1 × {name} added.")).to_have_count(0)


def test_the_summary_stands_where_it_is_read(visit: Callable[..., Page]) -> None:
    page = visit("/", script=False)
    put_in_cart(page)
    page.goto("/checkout/contact/")
    button, summary, line = (
        page.get_by_role("button", name="Go on to address"),
        page.locator(".panel"),
        page.locator(".total-line"),
    )
    for width, is_phone in ((390, True), (1280, False)):
        page.set_viewport_size({"width": width, "height": 900})
        pressed, box = button.bounding_box(), summary.bounding_box()
        assert pressed
        assert box
        assert box["y"] > pressed["y"] + pressed["height"] if is_phone else box["x"] > pressed["x"] + pressed["width"]
        assert line.is_visible() is is_phone


def test_a_quantity_that_could_not_be_kept_is_not_shown(shop: RunningShop, chromium: Browser) -> None:
    context = chromium.new_context(base_url=shop.url)  # not `visit`: the browser itself complains of the lost connection
    page = context.new_page()
    put_in_cart(page)
    page.goto("/cart/")
    quantity = page.get_by_label(re.compile("Quantity of"))

    context.set_offline(True)
    quantity.fill("7")
    page.keyboard.press("Tab")
    expect(page.locator("#failed")).to_contain_text("the shop cannot be reached")
    expect(page.locator("#failed")).to_contain_text("The quantity shown is the last one we know was kept.")
    expect(quantity).to_have_value("1")

    context.set_offline(False)
    quantity.fill("2")
    page.keyboard.press("Tab")
    expect(page.locator("#cart")).to_have_attribute("data-status", re.compile("^2 items"))
    quantity.fill("100000")
    page.keyboard.press("Tab")
    expect(page.get_by_role("alert").first).to_contain_text("so we set the quantity to")
    context.close()


def test_an_unpaid_order_tells_its_time_by_the_readers_clock(visit: Callable[..., Page]) -> None:
    page = visit("/", timezone_id="Asia/Kolkata", locale="en-GB")
    put_in_cart(page)
    page.goto("/checkout/contact/")
    page.get_by_label("E-mail").fill("ada@example.com")
    go_on(page)
    for label, value in {
        "Full name": "Ada Lovelace",
        "Street and number": "1 High Street",
        "City": "London",
        "Postcode": "sw1a1aa",
    }.items():
        page.get_by_label(label).fill(value)
    page.get_by_label("Country").select_option("GB")
    go_on(page)
    go_on(page)
    expect(page.get_by_role("main")).to_contain_text("SW1A 1AA")
    page.get_by_role("button", name=re.compile("^Pay")).click()
    page.get_by_role("link", name=re.compile("Back")).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Your order is not paid yet")
    clock = page.locator("[data-clock]")
    wanted = clock.evaluate("at => new Date(at.dateTime).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })")
    expect(clock).to_have_text(wanted)
    page.goto("/cart/")
    expect(page.get_by_role("heading", name="Your order is waiting to be paid")).to_be_visible()
    page.get_by_role("button", name="Put everything back in the cart").click()
    expect(page.get_by_text("Everything is back in your cart.")).to_be_visible()
