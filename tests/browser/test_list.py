"""Lists in a real browser: the keyboard keeps its place while filters are answered."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


@pytest.mark.parametrize("path", ["/products/", "/categories/lighting/"])
def test_tab_out_of_the_highest_price_goes_on_to_the_next_control(visit: Visit, path: str) -> None:
    page = visit(path)
    page.locator("#price-max").fill("150")

    page.keyboard.press("Tab")

    expect(page).to_have_url(re.compile("price_max=150"))
    expect(page.get_by_text("Up to $150.00")).to_be_visible()
    expect(page.locator("#filter-panel a[id^='price-']").first).to_be_focused()  # the lowest of the price bands
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#price-max")).to_be_focused()


def test_a_choice_that_can_no_longer_be_made_gives_the_focus_back(visit: Visit, axe: Callable[[Page], None]) -> None:
    page = visit("/categories/lighting/")
    first = page.locator("#filter-panel [name=type]").first
    value = str(first.get_attribute("value"))
    page.locator("#price-max").fill("0.50")
    first.focus()

    expect(page).to_have_url(re.compile(r"price_max=0\.5"))
    expect(page.get_by_role("heading", name="Nothing matches these filters")).to_be_visible()
    focused = page.evaluate("document.activeElement.id")
    assert focused in ("price-max", f"type-{value.replace(' ', '%20')}")
    axe(page)
    assert not page.evaluate("document.activeElement.disabled")


def test_half_a_word_with_a_typo_suggests_what_it_begins(visit: Visit) -> None:
    page = visit("/")

    page.locator("#search").press_sequentially("stonw")

    expect(page.get_by_role("option").first).to_contain_text("Tide Stoneware Mug")
    expect(page.locator("#status")).to_have_text(re.compile(r"^\d suggestions$"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tide Stoneware Mug")


def test_a_filter_far_down_the_page_stays_where_it_was_chosen(visit: Visit) -> None:
    page = visit("/products/")
    tick = page.locator("[id='brand-Saltmere']")
    page.evaluate("window.scrollTo(0, 700)")
    above = page.evaluate("id => document.getElementById(id).getBoundingClientRect().top", "brand-Saltmere")

    tick.focus()
    page.keyboard.press("Space")

    expect(page).to_have_url(re.compile("brand=Saltmere"))
    expect(page.get_by_text("13 products", exact=True)).to_be_visible()
    expect(tick).to_be_in_viewport()
    assert abs(page.evaluate("id => document.getElementById(id).getBoundingClientRect().top", "brand-Saltmere") - above) < 120


def test_an_open_drawer_has_the_keyboard_to_itself(visit: Visit) -> None:
    page = visit("/categories/kitchen-table/", width=390)
    panel, button = page.locator("#filter-panel"), page.locator("#filter-button")
    page.get_by_label("Search").last.focus()
    button.focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("button", name="Close")).to_be_focused()
    expect(page.locator(".card:not([inert] *)")).to_have_count(0)  # nor do screen readers find what lies behind
    expect(page.locator("#status:not([inert], [inert] *)")).to_have_count(1)  # but they hear what a filter did

    page.keyboard.press("Shift+Tab")  # before the first is the browser's own frame
    expect(page.locator(":focus")).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(panel.get_by_role("button", name="Show 14 products")).to_be_focused()

    panel.get_by_label("Tea & Coffee").press("Space")
    expect(panel.get_by_role("button", name="Show 3 products")).to_be_visible()
    expect(panel.get_by_label("Tea & Coffee")).to_be_focused()
    expect(page.locator(".card:not([inert] *)")).to_have_count(0)

    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(page.locator("[inert]")).to_have_count(0)
    page.get_by_role("button", name="Menu").press("Enter")
    expect(page.locator("#menu").get_by_role("link", name="All")).to_be_focused()
    page.set_viewport_size({"width": 1280, "height": 900})  # a tablet that is turned
    expect(page.locator("[inert]")).to_have_count(0)


def test_back_from_a_filter_chosen_in_the_drawer_brings_a_page_that_answers(visit: Visit) -> None:
    page = visit("/categories/kitchen-table/", width=390)
    page.locator("#filter-button").click()
    page.get_by_label("Tea & Coffee").check()
    expect(page).to_have_url(re.compile("type=Tea"))

    page.go_back()

    expect(page).to_have_url(re.compile("kitchen-table/$"))
    expect(page.locator("[inert]")).to_have_count(0)
