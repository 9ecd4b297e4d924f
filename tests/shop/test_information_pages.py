"""The pages about the shop itself: terms, privacy, delivery and returns, contact."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from cart.delivery_domain import tariffs_from
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.accounts.people import log_in, make_user
from tests.conftest import counted_calls, words_of

pytestmark = pytest.mark.usefixtures("tables")

PAGES = {
    "/terms/": "Terms of sale",
    "/privacy/": "Privacy",
    "/delivery-and-returns/": "Delivery and returns",
    "/contact/": "Contact",
}


@pytest.mark.parametrize(("path", "title"), PAGES.items())
def test_each_says_what_it_is_and_is_kept_for_everybody(client: Client, path: str, title: str) -> None:
    answer = client.get(path)
    page = answer.text

    assert answer.status_code == 200
    assert f"<title>{title} · Fernhollow</title>" in page
    assert f"<h1>{title}</h1>" in page
    assert re.search(r'<meta name="description" content="[^"]{60,160}">', page)
    assert f'<link rel="canonical" href="http://testserver{path}">' in page
    assert f'"name": "{title}", "item": "http://testserver{path}"' in page
    assert answer["Cache-Control"] == client.get("/")["Cache-Control"]
    assert client.get(path, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert client.post(path).status_code == 405


def test_every_page_of_the_shop_leads_to_them(client: Client) -> None:
    for path in ("/", "/products/", "/cart/", "/accounts/login/", "/no-such-page/", *PAGES):
        footer = client.get(path).text.partition('<footer class="bottom">')[2]
        assert [one for one in PAGES if f'href="{one}"' not in footer] == [], path


def test_they_are_at_hand_where_somebody_decides(client: Client) -> None:
    product = client.get(factories.make_product().path).text.partition('<footer class="bottom">')[0]
    register = client.get("/accounts/register/").text.partition('<footer class="bottom">')[0]

    assert '<a href="/delivery-and-returns/">Delivery and returns</a>' in product
    assert re.findall(r'<a href="([^"]+)" target="_blank">', register) == ["/terms/", "/privacy/"]


def test_they_ask_the_tables_for_the_menu_and_nothing_else(client: Client) -> None:
    factories.make_category()
    for path in PAGES:
        client.get("/")  # the menu is known
        with counted_calls() as calls:
            client.get(path)
        assert calls == [], path


def test_who_sells_and_where_to_write_are_the_settings(client: Client, settings: Settings) -> None:
    settings.INVOICE_SELLER = ["Moss & Fern Ltd", "1 Mill Lane", "VAT GB123"]
    settings.SUPPORT_EMAIL = "help@moss.example"

    for path in ("/terms/", "/privacy/", "/contact/"):
        page = client.get(path).text
        assert "Moss &amp; Fern Ltd<br>1 Mill Lane<br>VAT GB123<br>" in page, path
        assert '<a href="mailto:help@moss.example">help@moss.example</a>' in page, path


def rows_of(page: str) -> list[list[str]]:
    return [
        [words_of(cell) for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
    ]


def test_delivery_is_told_as_the_setting_has_it(client: Client, settings: Settings) -> None:
    settings.DELIVERY_METHODS = tariffs_from(
        [
            {
                "code": "standard",
                "name": "Parcel",
                "days": [3, 5],
                "rates": [
                    {"countries": ["US"], "price": "9.99", "up_to_grams": 20000},
                    {"countries": ["US"], "price": "0", "from": "150", "up_to_grams": 20000},
                    {"countries": ["DE", "AT"], "price": "19.99", "days": [7, 14]},
                ],
            },
            {"code": "courier", "name": "Courier", "days": [1, 1], "rates": [{"countries": ["US"], "price": "24.99"}]},
        ],
        currency="USD",
    )

    page = client.get("/delivery-and-returns/").text

    assert re.findall(r"<caption>(.*?)</caption>", page) == ["Parcel", "Courier"]
    assert rows_of(page) == [
        ["To", "Working days", "Price"],
        ["United States up to 20 kg", "3 to 5", "$9.99"],
        ["United States for goods of $150.00 or more, up to 20 kg", "3 to 5", "Free"],
        ["Austria, Germany", "7 to 14", "$19.99"],
        ["To", "Working days", "Price"],
        ["United States", "1", "$24.99"],
    ]
    assert "<p>We deliver to Austria, Germany, United States.</p>" in page


def test_without_a_table_both_ways_go_everywhere(client: Client) -> None:
    page = client.get("/delivery-and-returns/").text

    assert rows_of(page)[1::2] == [["Everywhere", "3 to 5", "$9.99"], ["Everywhere", "1 to 2", "$24.99"]]
    assert "<p>We deliver to Australia, Austria, " in page


def test_privacy_names_every_cookie_that_buying_and_an_account_set(
    client: Client, index: Callable[[], None], stripe: FakeStripe, now: datetime
) -> None:
    gone, mug = factories.make_product(name="Gone", inventory=0), factories.make_product(name="Mug", inventory=9)
    index()
    make_user(now)
    told = set(" ".join(row[0] for row in rows_of(client.get("/privacy/").text)).replace(",", "").split())
    found: set[str] = set()

    def note(answer: Any) -> None:
        found.update(answer.cookies)

    note(client.get(f"/products/recent/?seen={mug.product_id}"))
    note(client.post(f"/products/{gone.product_id}/tell-me/", {"email": "ada@example.com"}))
    note(client.post("/cart/add/", {"product_id": mug.product_id, "quantity": "0"}))
    note(client.post("/cart/add/", {"product_id": mug.product_id, "quantity": "1"}))
    note(client.get("/checkout/contact/"))
    note(log_in(client, "ada@example.com"))
    note(client.get("/accounts/"))
    note(client.post("/accounts/logout/"))

    assert found >= {"recent", "asked", "messages", "guest", "csrftoken", "access", "refresh", "device"}
    assert found - told == set()


def test_privacy_tells_the_times_that_hold(client: Client) -> None:
    told = {row[0]: row[1] for row in rows_of(client.get("/privacy/").text)}

    assert told["Your cart"] == "Products, quantities and a discount code: 30 days after you last changed it."
    assert told["An order"].count("opens it for 180 days") == 1
    assert told["An order"].endswith(
        "Of a discount code we keep how often you used it, under your account’s number and a fingerprint of your e-mail address, "
        "for 730 days after the last time."
    )
    assert told["Where you are signed in"].endswith("1 day after your last visit, or 30 days if you chose to stay signed in.")
    assert told["“Tell me when it is back”"] == (
        "Your e-mail address, until we have written to you; 365 days at the most, and no longer than there is the product."
    )
    assert told["Mails we sent"].endswith(": 90 days.")
    assert told["Many tries"].endswith("up to 2 days.")
    assert told["device"].endswith(": 365 days.")
    assert told["pending"].endswith(": 5 minutes.")
