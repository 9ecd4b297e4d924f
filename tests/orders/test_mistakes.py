"""Mistakes in the checkout's steps: each gets a page of its own that says it and keeps what was typed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.test import Client

from orders import queries
from shop.lib.owner import Owner
from tests import factories
from tests.accounts.people import ADDRESS
from tests.conftest import items_of
from tests.orders.walk import fields_of, shown_in, walk_to_review

pytestmark = pytest.mark.usefixtures("tables")


@pytest.mark.parametrize(
    ("step", "fields", "words"),
    [
        ("contact", {"email": ""}, "Please give your e-mail address"),
        ("contact", {"email": "ada"}, "This does not look like an e-mail address"),
        ("contact", {"email": "a@b.com\r\nBcc: x@y.z"}, "This does not look like an e-mail address"),
        ("contact", {"email": "ada@example.com", "phone": "call me"}, "A phone number has digits"),
        ("address", ADDRESS | {"name": ""}, "Please give the full name of who gets the parcel."),
        ("address", ADDRESS | {"zip_code": "ABC"}, "A US ZIP code has five digits"),
        ("address", ADDRESS | {"state": ""}, "Please fill in the state: the post in the United States needs it."),
        ("address", ADDRESS | {"zip_code": ""}, "Please give the ZIP code."),
        ("address", ADDRESS | {"country": "GB", "zip_code": "!!!!"}, "A postcode in the United Kingdom looks like SW1A 1AA."),
        ("address", ADDRESS | {"country": "XX"}, "We do not deliver there yet"),
        ("address", ADDRESS | {"street": "a\x07b"}, "without control characters"),
        ("address", ADDRESS | {"city": "x" * 101}, "at most 100 characters"),
        ("delivery", {}, "Please choose how we shall send it."),
        ("delivery", {"delivery": "by-owl"}, "Please choose one of these."),
    ],
)
def test_a_mistake_gets_a_page_of_its_own_that_says_it_and_keeps_what_was_typed(
    client: Client, step: str, fields: dict[str, str], words: str
) -> None:
    mug = factories.make_product()
    client.post("/cart/add/", {"product_id": mug.product_id, "quantity": "1"})

    answer = client.post(f"/checkout/{step}/", fields)

    assert (answer.status_code, answer["Location"]) == (303, f"/checkout/{step}/")
    pages = [client.get(f"/checkout/{step}/") for _ in range(2)]  # looked at, and refreshed
    for page in pages:
        assert page.status_code == 200
        assert words in unescape(page.text)
        shown = shown_in(page.text)
        assert {name: shown.get(name) for name in fields if name not in ("country", "delivery")} == {
            name: value for name, value in fields.items() if name not in ("country", "delivery")
        }
    (kept,) = items_of("Orders")
    assert set(kept) == {"PK", "SK", f"typed{step.title()}", "typedUntil", "expiresAt"}


def test_a_mistake_put_right_is_forgotten_and_back_shows_what_counts(client: Client) -> None:
    mug = factories.make_product()
    client.post("/cart/add/", {"product_id": mug.product_id, "quantity": "1"})
    client.post("/checkout/contact/", {"email": "ada", "phone": "+1 555 123 4567"})

    right = client.post("/checkout/contact/", {"email": "ada@example.com", "phone": ""})

    assert (right.status_code, right["Location"]) == (303, "/checkout/address/")
    page = client.get("/checkout/contact/").text
    assert shown_in(page) == {"email": "ada@example.com", "phone": ""}
    assert "Nothing is lost" not in page


def test_mistakes_of_two_steps_stand_beside_each_other_and_change_no_detail(client: Client) -> None:
    mug = factories.make_product()
    walk_to_review(client, mug.product_id)
    client.post("/checkout/contact/", {"email": "grace@", "phone": "0"})
    client.post("/checkout/address/", ADDRESS | {"zip_code": "1", "street": "Elsewhere 9"})

    assert shown_in(client.get("/checkout/contact/").text) == {"email": "grace@", "phone": "0"}
    assert shown_in(client.get("/checkout/address/").text)["street"] == "Elsewhere 9"
    review = client.get("/checkout/review/").text
    for words in (
        "ada@example.com",
        "123 Main St",
        "What you changed under Contact had a mistake in it and does not count yet.",
        "What you changed under Address had a mistake in it and does not count yet.",
    ):
        assert words in review
    assert "Elsewhere 9" not in review


def test_what_was_typed_is_kept_for_a_day_and_never_without_end(guest_client: Client, guest: Owner, now: datetime) -> None:
    mug = factories.make_product()
    guest_client.post("/cart/add/", {"product_id": mug.product_id, "quantity": "1"})

    guest_client.post("/checkout/contact/", {"email": "é" * 1001, "phone": "", "more": "x" * 5000})

    def typed(moment: datetime) -> Mapping[str, Mapping[str, str]]:
        return queries.checkout(owner=guest, now=moment).typed

    assert typed(now) == {"contact": {"email": "é" * 1000, "phone": ""}}
    assert typed(now + timedelta(days=1, seconds=-1)) == typed(now)
    assert typed(now + timedelta(days=1, minutes=1)) == {}


def test_a_browser_that_lost_its_cookies_and_a_form_that_lost_its_fields_order_nothing(client: Client) -> None:
    fields = fields_of(walk_to_review(client, factories.make_product().product_id))
    before = items_of("Orders")

    incomplete = client.post("/checkout/place/", fields | {"total_seen": ""}, follow=True)
    unknown = Client().post("/checkout/place/", fields, follow=True)

    assert "That order form was not complete, so nothing was ordered." in incomplete.text
    assert "or this browser lost your cart, so nothing was ordered." in unknown.text
    assert items_of("Orders") == before
