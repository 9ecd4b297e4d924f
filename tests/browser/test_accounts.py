"""From a stranger to a customer, in a real browser."""

import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_buying import GOOD, order_number, pay, put_mugs_in_cart

pytestmark = pytest.mark.browser

ADDRESS = {
    "Full name": "Ada Lovelace",
    "Street and number": "123 Main St",
    "City": "New York",
    "State": "NY",
    "ZIP code": "10001",
}
PASSWORD, NEXT_PASSWORD = "quiet lamp, warm clay", "a second lamp of clay"
Look = Callable[[Page], None]


def _link_in_mail(mail: Page, email: str, subject: str, words: str) -> str:
    """Where the button of the mail with this subject to this address leads."""
    mail.goto("/_local/mail/")
    link = mail.get_by_role("row").filter(has_text=email).get_by_role("link", name=subject)
    for _ in range(60):
        if link.count():
            break
        mail.wait_for_timeout(250)
        mail.reload()
    link.first.click()
    return str(mail.frame_locator("iframe").get_by_role("link", name=words).get_attribute("href"))


def _submit(page: Page) -> None:
    page.locator("main form button[type=submit]").first.click()


def _sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    _submit(page)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_stranger_becomes_a_customer(visit: Callable[..., Page], axe: Callable[[Page], None], script: bool) -> None:
    def look(page: Page) -> None:
        if script:  # axe is one
            axe(page)

    email = f"ada-{uuid.uuid4().hex[:8]}@example.com"
    page, mail = visit("/accounts/register/", script=script), visit("/_local/mail/")
    _register(page, mail, email, look, script=script)
    _add_address(page, look)

    # The same person in another browser, with a cart filled before signing in on the way to paying.
    other = visit("/", script=script)
    put_mugs_in_cart(other, script=script)
    other.get_by_role("link", name="Check out").click()
    other.get_by_role("main").get_by_role("link", name="Sign in").click()
    _sign_in(other, email, PASSWORD)
    number = _buy_with_what_is_known(other, email, look)
    page.goto("/orders/")
    expect(page.get_by_role("main")).to_contain_text(number)
    look(page)
    page.goto(f"/orders/{number}/")
    expect(page.get_by_role("main")).to_contain_text("123 Main St")
    look(page)

    _set_new_password(visit("/accounts/password-reset/", script=script), mail, email, look)
    for ended in (page, other):
        ended.goto("/accounts/sessions/")
        expect(ended.get_by_role("heading", level=1)).to_have_text("Sign in")


def _register(page: Page, mail: Page, email: str, look: Look, *, script: bool) -> None:
    """From the form by way of the mailed link to the account's page."""
    look(page)
    for label, value in {"First name": "Ada", "Last name": "Lovelace", "E-mail": email, "Password": PASSWORD}.items():
        page.get_by_label(label).fill(value)
    reveal, typed = page.get_by_role("button", name="Show what you type"), page.get_by_label("Password")
    if script:
        for kind in ("text", "password", "text"):
            reveal.click()
            expect(typed).to_have_attribute("type", kind)
    else:
        expect(reveal).to_have_count(0)
    _submit(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Look in your mailbox")
    look(page)

    page.goto(_link_in_mail(mail, email, "Open your Fernhollow account", "Confirm my address"))
    look(page)
    page.get_by_label("Password").fill(PASSWORD)
    _submit(page)
    expect(page).to_have_url("/accounts/")
    if script:
        expect(page.get_by_role("link", name="Your account, Ada Lovelace")).to_be_visible()
    look(page)


def _add_address(page: Page, look: Look) -> None:
    page.goto("/accounts/addresses/")
    page.get_by_role("link", name="Add an address").click()
    look(page)
    for label, value in ADDRESS.items():
        page.get_by_label(label).fill(value)
    _submit(page)
    expect(page.get_by_role("main")).to_contain_text("123 Main St")
    look(page)


def _buy_with_what_is_known(page: Page, email: str, look: Look) -> str:
    """From the checkout's first step, where signing in led, to the paid order; its number."""
    expect(page.get_by_role("heading", level=1)).to_have_text("How can we reach you?")
    expect(page.get_by_label("E-mail")).to_have_value(email)
    expect(page.get_by_text("What you chose before you signed in is in your cart.")).to_be_visible()
    page.goto("/cart/")
    page.get_by_role("link", name="Check out").click()
    look(page)
    page.locator("main").get_by_role("button").first.click()
    expect(page.get_by_label("123 Main St")).to_be_checked()  # from the address book
    look(page)
    page.get_by_role("button", name="Send it here").click()
    page.get_by_label("Standard delivery").check()
    look(page)
    page.locator("main").get_by_role("button").first.click()
    expect(page.get_by_role("main")).to_contain_text("123 Main St")
    look(page)
    page.get_by_role("button", name="Pay $87.75").click()
    pay(page, GOOD)
    number = order_number(page)
    look(page)
    return number


def _set_new_password(page: Page, mail: Page, email: str, look: Look) -> None:
    """By mail, which signs every browser out; then in again with the new one."""
    look(page)
    page.get_by_label("E-mail").fill(email)
    _submit(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Look in your mailbox")
    look(page)
    page.goto(_link_in_mail(mail, email, "Set a new password at Fernhollow", "Choose a new password"))
    look(page)
    page.get_by_label("New password").fill(NEXT_PASSWORD)
    _submit(page)
    look(page)
    _sign_in(page, email, NEXT_PASSWORD)
    page.goto("/accounts/sessions/")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
    look(page)
