"""The address book at checkout."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts import address_book, queries
from accounts.domain import SavedAddress, User
from orders.queries import checkout_details
from shop.lib.owner import Owner
from tests.accounts.people import ADDRESS, log_in, make_user
from tests.conftest import words_of
from tests.factories import make_product
from tests.orders.walk import shown_in

pytestmark = pytest.mark.usefixtures("tables")

HOME = SavedAddress("", "shipping", "1 Hill Rd", "Boston", "MA", "02108", "US", is_default=False, name="Ada King")
WORK = SavedAddress("", "shipping", "9 Canal St", "London", "", "SW1A 1AA", "GB", is_default=True, name="Ada King")


@pytest.fixture
def ada(client: Client, now: datetime) -> User:
    user = make_user(now, phone="+1 555 0100")
    log_in(client)
    client.post("/cart/add/", {"product_id": make_product().product_id, "quantity": "1"})
    return user


def keep(user: User, entry: SavedAddress, now: datetime) -> str:
    return address_book.add_address(user_id=user.user_id, entry=entry, now=now).address_id


def told(user: User, now: datetime) -> Any:
    return checkout_details(owner=Owner(user.user_id, is_guest=False), now=now)


def chosen_in(page: Any) -> list[str]:
    return re.findall(r'name="saved" value="([^"]+)" checked', page.text)


def test_known_people_find_mail_phone_and_default_address_filled_in(client: Client, ada: User, now: datetime) -> None:
    home, work = keep(ada, HOME, now), keep(ada, WORK, now)

    contact = shown_in(client.get("/checkout/contact/").text)
    assert (contact["email"], contact["phone"]) == ("ada@example.com", "+1 555 0100")
    page = client.get("/checkout/address/")
    assert chosen_in(page) == [work]
    assert page.text.index("9 Canal St") < page.text.index("1 Hill Rd")

    answer = client.post("/checkout/address/", {"saved": home})

    assert (answer.status_code, answer["Location"]) == (303, "/checkout/delivery/")
    address = told(ada, now).address
    assert (address.name, address.street, address.zip_code, address.country) == ("Ada King", "1 Hill Rd", "02108", "US")
    assert chosen_in(client.get("/checkout/address/")) == [home]


def test_an_address_is_kept_when_asked_for_and_once(client: Client, ada: User, now: datetime) -> None:
    client.post("/checkout/address/", ADDRESS)
    assert queries.user(user_id=ada.user_id).addresses == ()

    client.post("/checkout/address/", ADDRESS | {"save": "on", "role": "admin", "is_default": "on", "address_id": "addr-x"})
    client.post("/checkout/address/", ADDRESS | {"save": "on"})

    (entry,) = queries.user(user_id=ada.user_id).addresses
    assert (entry.street, entry.kind, entry.is_default) == ("123 Main St", "shipping", True)
    assert told(ada, now).address.street == "123 Main St"


def test_the_entry_of_another_person_is_not_taken(client: Client, ada: User, now: datetime) -> None:
    hers = keep(make_user(now, email="grace@example.com"), HOME, now)

    answer = client.post("/checkout/address/", {"saved": hers}, follow=True)

    assert "That address is not in your address book any more." in words_of(answer.text)
    assert told(ada, now).address is None


def test_an_entry_we_cannot_deliver_to_is_asked_about(client: Client, ada: User, now: datetime) -> None:
    far = keep(ada, SavedAddress("", "shipping", "1 Rua", "Rio", "", "20000", "BRA", is_default=True, name="Ada"), now)

    answer = client.post("/checkout/address/", {"saved": far}, follow=True)

    assert "We do not deliver there yet." in answer.text
    assert shown_in(answer.text)["street"] == "1 Rua"
    assert told(ada, now).address is None


def test_guests_are_offered_no_address_book(client: Client, now: datetime) -> None:
    client.post("/cart/add/", {"product_id": make_product().product_id, "quantity": "1"})

    page = client.get("/checkout/address/").text

    assert 'name="save' not in page
    assert client.post("/checkout/address/", ADDRESS | {"save": "on"}).status_code == 303
    assert client.post("/checkout/address/", {"saved": "addr-1"})["Location"] == "/checkout/address/"
