"""The cart's doors: plain forms, htmx fragments, and what comes in that should not."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from catalog.domain import ProductStatus
from catalog.models import ProductRow, product_key
from catalog.recent import COOKIE
from shop.lib.guests import GUEST_COOKIE
from shop.lib.money import Money
from shop.lib.owner import Owner
from tests import factories
from tests.conftest import counted_calls, items_of, words_of

pytestmark = pytest.mark.usefixtures("tables")

HTMX = {"HX-Request": "true"}

BAD_QUANTITIES = ["-1", "0", "1000000000", "1.5", "٣", "", " ", "1e3", "0x10", "NaN", "１", "100", "9" * 5000, "1; DROP", "<b>"]


def add(client: Client, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    return client.post("/cart/add/", fields, headers=headers or {})


def test_adding_without_script_leads_to_the_cart_which_says_so(client: Client) -> None:
    mug = factories.make_product(name="Tide Mug")

    answer = client.post("/cart/add/", {"product_id": mug.product_id, "quantity": "2"}, follow=True)

    assert answer.redirect_chain == [("/cart/", 302)]
    assert "2 × Tide Mug added." in answer.text
    assert "$60.39" not in answer.text
    assert "$61.83" in answer.text  # 48.00 + 3.84 tax + 9.99 delivery


def test_adding_with_htmx_answers_a_fragment_and_tells_the_badge(client: Client) -> None:
    mug = factories.make_product(name="Tide Mug")

    answer = add(client, HTMX, product_id=mug.product_id, quantity="2")

    assert answer.status_code == 200
    assert answer["HX-Trigger"] == "cart-changed"
    assert "<html" not in answer.text
    assert "2 × Tide Mug" in answer.text
    assert words_of(client.get("/cart/badge/").text) == "Cart, 2 items"


@pytest.mark.parametrize("quantity", BAD_QUANTITIES)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_a_bad_quantity_gets_a_clear_answer_and_writes_nothing(client: Client, quantity: str, headers: dict[str, str]) -> None:
    mug = factories.make_product()

    answer = client.post("/cart/add/", {"product_id": mug.product_id, "quantity": quantity}, headers=headers, follow=True)

    assert answer.status_code == (422 if headers else 200)
    assert "Please choose a whole number from 1 to 99. Your cart is as it was." in answer.text
    assert items_of("Carts") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"quantity": "1"},
        {"product_id": "", "quantity": "1"},
        {"product_id": "prod-unknown", "quantity": "1"},
        {"product_id": "PRODUCT#x", "quantity": "1"},
        {"product_id": "x" * 5000, "quantity": "1"},
        {"product_id": "Ω", "quantity": "1"},
        {"product_id": "a\x00b", "quantity": "1"},
    ],
)
def test_an_unknown_product_gets_a_clear_answer_and_writes_nothing(client: Client, fields: dict[str, str]) -> None:
    answer = client.post("/cart/add/", fields, headers=HTMX)

    assert answer.status_code == 422
    assert "Your cart is as it was." in answer.text
    assert items_of("Carts") == []


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_a_field_given_twice_is_not_guessed_at(client: Client, headers: dict[str, str]) -> None:
    mug = factories.make_product()

    answer = client.post("/cart/add/", {"product_id": mug.product_id, "quantity": ["1", "2"]}, headers=headers, follow=True)

    assert "Please choose a whole number" in answer.text
    assert items_of("Carts") == []


def test_an_inactive_or_sold_out_product_is_refused_by_name(client: Client) -> None:
    old = factories.make_product(name="Old Mug", status=ProductStatus.INACTIVE)
    rare = factories.make_product(name="Rare Mug", inventory=0)
    for made, words in ((old, "Old Mug is not available any more."), (rare, "Rare Mug is sold out.")):
        answer = add(client, HTMX, product_id=made.product_id, quantity="1")
        assert answer.status_code == 422
        assert f"{words} Your cart is as it was." in answer.text
    assert items_of("Carts") == []


def test_extra_fields_of_a_form_change_nothing(client: Client) -> None:
    mug = factories.make_product(price=Money(2400, "USD"))

    add(client, product_id=mug.product_id, quantity="1", price="0.01", user_id="user-1", total="0", currency="JPY")

    (cart,) = items_of("Carts")
    assert cart["items"]["L"][0]["M"]["price"] == {"N": "24"}
    assert cart["PK"]["S"].startswith("GUEST#guest-")


@pytest.mark.parametrize("cookie", ["", "guest-1", "guest-1:abc:def", "x" * 4000, "guest-1ng7824h8jf96425a:1abc:forged"])
def test_a_forged_cart_cookie_is_nobodys_cart(client: Client, cookie: str) -> None:
    mug = factories.make_product()
    add(client, product_id=mug.product_id, quantity="3")
    client.cookies[GUEST_COOKIE] = cookie

    assert words_of(client.get("/cart/badge/").text) == "Cart"
    assert "There is nothing in it yet." in client.get("/cart/").text
    assert client.post("/cart/update/", {"product_id": mug.product_id, "quantity": "1"}).status_code == 302
    assert len(items_of("Carts")) == 1
    assert items_of("Carts")[0]["items"]["L"][0]["M"]["quantity"] == {"N": "3"}


def test_changing_and_removing_by_htmx_redraws_the_cart_in_one_answer(client: Client) -> None:
    mug = factories.make_product(price=Money(2400, "USD"), inventory=5)
    add(client, product_id=mug.product_id, quantity="2")

    changed = client.post("/cart/update/", {"product_id": mug.product_id, "quantity": "3"}, headers=HTMX)
    too_many = client.post("/cart/update/", {"product_id": mug.product_id, "quantity": "9"}, headers=HTMX)
    removed = client.post("/cart/remove/", {"product_id": mug.product_id}, headers=HTMX)
    again = client.post("/cart/remove/", {"product_id": mug.product_id}, headers=HTMX)

    assert "$72.00" in changed.text
    assert changed["HX-Trigger"] == "cart-changed"
    assert "There are only 5 of those, so we set the quantity to 5." in too_many.text
    assert "$120.00" in too_many.text
    for answer in (removed, again):
        assert "There is nothing in it yet." in answer.text
        assert "<html" not in answer.text


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize(("path", "fields"), [("/cart/remove/", {}), ("/cart/update/", {"quantity": "0"})])
def test_what_was_taken_out_can_be_put_back(client: Client, headers: dict[str, str], path: str, fields: dict[str, str]) -> None:
    mug = factories.make_product(name="Tide Mug")
    add(client, HTMX, product_id=mug.product_id, quantity="3")

    answer = client.post(path, {"product_id": mug.product_id, **fields}, headers=headers, follow=True)

    assert words_of(answer.text).count("Tide Mug is out of your cart. Put it back") == 1
    assert "There is nothing in it yet." in answer.text
    undo = re.search(r'<form class="notice undo" action="(.*?)".*?</form>', answer.text, re.DOTALL)
    assert undo
    posted = dict(re.findall(r'name="(product_id|quantity)" value="(.*?)"', undo[0]))
    back = client.post(undo[1], posted, follow=True)
    assert "3 × Tide Mug added." in back.text
    assert "out of your cart" not in back.text
    assert words_of(client.get("/cart/badge/").text) == "Cart, 3 items"


def test_an_empty_cart_shows_what_was_looked_at_before_to_who_looked(client: Client) -> None:
    mug = factories.make_product()
    part, cards = 'hx-get="/products/recent/"', "/css/catalog.css"

    def shown() -> tuple[bool, bool]:
        page = client.get("/cart/").text
        return part in page, cards in page

    assert shown() == (False, False)
    client.cookies[COOKIE] = mug.product_id
    assert shown() == (True, True)
    add(client, product_id=mug.product_id, quantity="1")
    assert shown() == (False, False)


@pytest.mark.parametrize("quantity", ["-1", "1.5", "", "1000000000", "٣"])
def test_a_bad_quantity_on_a_line_changes_nothing(client: Client, quantity: str) -> None:
    mug = factories.make_product()
    add(client, product_id=mug.product_id, quantity="2")

    answer = client.post("/cart/update/", {"product_id": mug.product_id, "quantity": quantity}, headers=HTMX)

    assert "Please choose a whole number from 1 to 99, or 0 to take the line out. Your cart is as it was." in answer.text
    assert items_of("Carts")[0]["items"]["L"][0]["M"]["quantity"] == {"N": "2"}


@pytest.mark.parametrize(
    ("stock", "asked", "kept", "words", "note"),
    [
        (5, "4", "4", "", ""),
        (5, "5", "5", "", "That is all there is."),
        (5, "100", "5", "There are only 5 of those, so we set the quantity to 5.", "That is all there is."),
        (500, "99", "99", "", "99 is the most a cart holds of one product."),
        (500, "100", "99", "A cart holds at most 99 of one product, so we set the quantity to 99.", "99 is the most"),
        (99, "99", "99", "", "That is all there is."),
    ],
)
def test_a_line_tells_its_limit_and_why(client: Client, stock: int, asked: str, kept: str, words: str, note: str) -> None:
    mug = factories.make_product(inventory=stock)
    add(client, product_id=mug.product_id, quantity="1")

    answer = client.post("/cart/update/", {"product_id": mug.product_id, "quantity": asked}, headers=HTMX)

    assert f'value="{kept}" min="0" max="{min(stock, 99)}"' in answer.text
    assert ("so we set the quantity to" in answer.text) is bool(words)
    assert words in answer.text
    assert ("line-note" in answer.text) is bool(note)
    assert note in answer.text


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_the_line_itself_says_why_what_is_gone_cannot_be_bought(client: Client, headers: dict[str, str]) -> None:
    mug = factories.make_product(name="Old Mug", inventory=5)
    add(client, product_id=mug.product_id, quantity="2")
    product_key(mug.product_id).update(actions=[ProductRow.status.set("inactive")])

    answer = client.post("/cart/update/", {"product_id": mug.product_id, "quantity": "9"}, headers=headers, follow=True)

    assert "No longer on sale: remove it to go on. 2 wanted" in words_of(answer.text)
    assert "so we set the quantity" not in answer.text
    assert items_of("Carts")[0]["items"]["L"][0]["M"]["quantity"] == {"N": "2"}


def test_a_line_that_is_gone_is_not_put_back(client: Client) -> None:
    mug, bowl = factories.make_product(), factories.make_product()
    add(client, product_id=bowl.product_id, quantity="1")
    before = items_of("Carts")

    answer = client.post("/cart/update/", {"product_id": mug.product_id, "quantity": "3"}, headers=HTMX)

    assert "That line is not in your cart any more." in answer.text
    assert items_of("Carts") == before


def test_a_full_cart_is_told_of_by_its_size(guest_client: Client, guest: Owner, now: datetime) -> None:
    factories.fill_cart(guest, {factories.make_product().product_id: 1 for _ in range(40)}, now)
    before = items_of("Carts")

    answer = add(guest_client, HTMX, product_id=factories.make_product().product_id, quantity="1")

    assert answer.status_code == 422
    assert "A cart holds 40 different products. Yours is as it was." in answer.text
    assert items_of("Carts") == before


@pytest.mark.parametrize("path", ["/cart/add/", "/cart/update/", "/cart/remove/"])
def test_nothing_is_changed_by_a_get(client: Client, path: str) -> None:
    assert client.get(path).status_code == 405


def test_pages_of_the_cart_are_private(client: Client) -> None:
    for path in ("/cart/", "/cart/badge/"):
        assert client.get(path)["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("lines", [1, 3])
def test_the_cart_page_costs_two_calls_whatever_it_holds(client: Client, lines: int) -> None:
    factories.make_category()
    client.get("/")  # the menu is kept from here on
    for _ in range(lines):
        add(client, product_id=factories.make_product().product_id, quantity="1")

    with counted_calls() as calls:
        client.get("/cart/")
    assert calls == ["GetItem", "BatchGetItem"]

    with counted_calls() as calls:
        client.get("/cart/badge/")
    assert calls == ["GetItem"]


def test_adding_costs_three_calls(client: Client) -> None:
    mug = factories.make_product()

    with counted_calls() as calls:
        add(client, HTMX, product_id=mug.product_id, quantity="1")

    assert calls == ["GetItem", "GetItem", "PutItem"]


def test_a_refused_code_is_told_once_beside_its_field_without_script_too(client: Client) -> None:
    client.post("/cart/add/", {"product_id": factories.make_product().product_id, "quantity": "1"})
    client.get("/cart/")
    before = items_of("Carts")

    answer = client.post("/cart/code/", {"code": "Winter 9"}, follow=True)
    page = answer.text

    assert items_of("Carts") == before
    assert answer.redirect_chain == [("/cart/?code=Winter+9", 302)]
    field = re.search(r'<input id="discount-code"[^>]*>', page)
    assert field
    for told in ('value="Winter 9"', 'aria-invalid="true"', 'aria-describedby="code-problem"', "autofocus"):
        assert told in field[0]
    problem = re.search(r'<p class="field-error" id="code-problem" role="alert">(.*?)</p>', page)
    assert problem
    assert page.count(problem[1]) == 1
    assert 'class="notice' not in page
    # It is told once; what was typed stays.
    again = client.get("/cart/?code=Winter+9").text
    assert "code-problem" not in again
    assert 'value="Winter 9"' in again


def test_where_the_cart_shows_no_field_a_refused_code_is_told_at_the_top(client: Client) -> None:
    page = client.post("/cart/code/", {"code": "SPRING10"}, follow=True).text

    assert "code-problem" not in page
    assert '<p class="notice notice-error">Please put something in your cart first.</p>' in page
