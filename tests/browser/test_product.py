"""The product page in a real browser: looking closely, choosing a colour, with the keyboard and without JavaScript."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


def open_product(page: Page, name: str) -> None:
    page.locator("#search").fill(name)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("main").get_by_role("link", name=name).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def in_sight(page: Page, photo: str) -> bool:
    """Whether the photograph is the one the strip shows."""
    return bool(
        page.locator(photo).evaluate("e => Math.abs(e.getBoundingClientRect().x - e.parentNode.getBoundingClientRect().x) < 2")
    )


def test_photographs_are_turned_and_looked_at_closely_by_keyboard(visit: Visit) -> None:
    page = visit("/", reduced_motion="reduce")
    open_product(page, "Hush Over-Ear Headphones, Sand")
    first, second = page.locator("#photo-1"), page.locator("#photo-2")
    dialog = page.get_by_role("dialog")

    first.focus()
    page.keyboard.press("ArrowRight")
    expect(second).to_be_focused()
    assert in_sight(page, "#photo-2")
    expect(page.locator(".thumbs [aria-current]")).to_have_attribute("href", "#photo-2")

    page.keyboard.press("Enter")
    expect(dialog.get_by_role("img")).to_have_attribute("src", re.compile(r"/1200\.webp$"))
    expect(dialog.get_by_role("button", name="Next photograph")).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    expect(dialog.get_by_role("img")).to_have_attribute("alt", "Hush Over-Ear Headphones, Sand, photograph 1 of 2")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(first).to_be_focused()
    assert in_sight(page, "#photo-1")

    page.locator(".thumbs a").nth(1).click()
    expect(page.locator(".thumbs [aria-current]")).to_have_attribute("href", "#photo-2")
    assert in_sight(page, "#photo-2")


def test_without_javascript_thumbnails_turn_the_strip_and_photographs_are_links(visit: Visit) -> None:
    page = visit("/", script=False, reduced_motion="reduce")
    open_product(page, "Hush Over-Ear Headphones, Sand")

    page.locator(".thumbs a").nth(1).click()
    expect(page).to_have_url(re.compile("#photo-2$"))
    assert in_sight(page, "#photo-2")
    expect(page.locator("#photo-2")).to_have_attribute("href", re.compile(r"/1200\.webp$"))


def test_choosing_a_colour_brings_all_that_is_about_it_and_back_restores(visit: Visit) -> None:
    page = visit("/")
    open_product(page, "Hush Over-Ear Headphones, Sand")
    sand = page.url
    related = page.get_by_role("region", name="More like this")
    expect(related).to_contain_text("Headphones, Ink")

    page.get_by_role("link", name="Ink", exact=True).press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Hush Over-Ear Headphones, Ink")
    expect(page).to_have_title("Hush Over-Ear Headphones, Ink · Fernhollow")
    expect(page.locator("link[rel=canonical]")).to_have_attribute("href", page.url)
    expect(page.get_by_role("link", name="Ink", exact=True)).to_be_focused()
    expect(related).to_contain_text("Headphones, Sand")
    expect(related).not_to_contain_text("Headphones, Ink")
    assert '"Hush Over-Ear Headphones, Ink"' in page.locator("script[type='application/ld+json']").first.inner_text()

    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hush Over-Ear Headphones, Sand")
    expect(page).to_have_url(sand)
    expect(page).to_have_title("Hush Over-Ear Headphones, Sand · Fernhollow")
    expect(page.locator("link[rel=canonical]")).to_have_attribute("href", sand)
    expect(related).to_contain_text("Headphones, Ink")


def test_what_is_in_the_cart_bounds_the_quantity_and_what_was_looked_at_is_shown(visit: Visit) -> None:
    page = visit("/")
    open_product(page, "Hush Over-Ear Headphones, Sand")
    open_product(page, "Groove Turntable, Walnut")
    quantity, before = page.get_by_label("Quantity", exact=True), page.get_by_role("region", name="You looked at")
    expect(page.get_by_text(re.compile("^Order today, .+: arrives .+"))).to_be_visible()
    expect(before.get_by_role("link", name="Hush Over-Ear Headphones, Sand")).to_be_visible()
    left = int(quantity.get_attribute("max") or 0)

    quantity.fill("2")
    page.get_by_role("button", name="Add to cart").click()

    expect(page.get_by_text("2 × Groove Turntable, Walnut added.")).to_be_visible()
    expect(quantity).to_have_attribute("max", str(left - 2))
    page.reload()
    expect(page.get_by_text(f"You already have 2 in your cart; {left - 2} more are available.")).to_be_visible()
    before.get_by_role("button", name="Forget these").click()
    expect(before).to_have_count(0)
