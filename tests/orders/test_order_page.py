"""An order's own page, and what its shopper does there: follow it, cancel it, keep it longer, buy it again."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client

from catalog.domain import Product
from catalog.services import set_stock
from orders import ledger_queries as books
from orders import queries, services
from orders.carriers import CARRIERS, tracking_url
from orders.domain import HOLD, Order, OrderStatus, Payment
from shop.lib.access import Viewer
from shop.lib.guests import new_guest
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import counted_calls, words_of
from tests.orders.paid import ask, made_at, paid_order, stock, stored, usd

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def mug() -> Product:
    return factories.make_product(price=usd(2400), name="Tide Mug", inventory=9)


@pytest.fixture
def lamp() -> Product:
    return factories.make_product(price=usd(2400), name="Lamp", inventory=9)


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, mug: Product, lamp: Product, now: datetime) -> Order:
    """Two mugs and a lamp at 24.00 each (72.00), tax 5.76, delivery 9.99: 87.75."""
    return paid_order(stripe, guest, {mug.product_id: 2, lamp.product_id: 1}, now)


def path(order: Order, more: str = "") -> str:
    return f"/orders/{order.order_id}/{more}"


def section(page: str, title: str) -> str:
    """What a reader reads below a heading."""
    return next(words_of(part) for part in re.findall(r"<section.*?</section>", page, re.S) if f">{title}</h2>" in part)


def test_a_paid_order_shows_where_it_stands_what_comes_and_how_it_was_paid(guest_client: Client, paid: Order) -> None:
    page = guest_client.get(path(paid)).text

    words = words_of(page)
    assert "Paid We are packing it. You get a mail when it leaves us." in words
    at = f"{paid.created_at:%B} {paid.created_at.day}, {paid.created_at:%Y, %H:%M} UTC"
    assert section(page, "So far").startswith(f"So far Placed {at} Paid ")
    assert re.search(r"Shipped still to come Delivered expected by \w+day, ", section(page, "So far"))
    assert section(page, "Payment") == "Payment Visa ending in 4242$87.75"
    assert f'href="/products/{paid.lines[0].product_id}/tide-mug/"' in page
    assert f'href="mailto:shop@example.com?subject=Order%20{paid.order_id}"' in page
    assert '<a href="/delivery-and-returns/#returns">how something goes back</a>' in page


def test_a_part_sent_and_a_part_refunded_are_shown_line_by_line(guest_client: Client, paid: Order, now: datetime) -> None:
    mug, lamp = (line.product_id for line in paid.lines)
    services.issue_invoice(order=paid, now=now)
    ask(stored(paid), now, lines={lamp: 1})
    services.issue_credit_note(order_id=paid.order_id, key="1", now=now)
    services.ship(order=stored(paid), carrier="dhl", tracking_number="JD 014", actor="staff:eve", now=now, pieces={mug: 1})

    page = guest_client.get(path(paid)).text

    words = words_of(page)
    assert "A part of it is on its way. You get a mail when the rest leaves us." in words
    assert "1 of 2 shipped" in words
    assert "Lamp1 × $24.00Refunded $24.00" in words
    assert "A part of it shipped" in section(page, "So far")
    assert "$25.92 refunded" in section(page, "So far")
    assert section(page, "Parcel").startswith("Parcel dhl JD 014 Sent")
    assert 'href="https://www.dhl.com/global-en/home/tracking.html?tracking-id=JD014"' in page
    assert "$25.92 went back to you" in section(page, "Money back")
    assert f'href="{path(paid)}credit-notes/CN-000001.pdf"' in page
    assert f'href="{path(paid)}invoice.pdf"' in page
    assert "$25.92 of it went back" in section(page, "Payment")
    assert "Cancel this order" not in words


def test_the_page_costs_one_call_and_one_more_when_money_went_back(guest_client: Client, paid: Order, now: datetime) -> None:
    guest_client.get("/orders/find/")  # the menu is read once a minute

    with counted_calls() as calls:
        guest_client.get(path(paid))
    ask(paid, now, extra=usd(500))
    with counted_calls() as more:
        guest_client.get(path(paid))

    assert (calls, more) == (["GetItem"], ["GetItem", "Query"])


def test_the_shopper_sees_what_comes_back_and_cancels_with_one_press(
    stripe: FakeStripe, guest_client: Client, paid: Order, mug: Product
) -> None:
    asked = guest_client.get(path(paid, "cancel/"))
    assert "Goes back to you$87.75 The way you paidVisa ending in 4242" in words_of(asked.text)
    assert (made_at(stripe), stored(paid).status) == ([], OrderStatus.PROCESSING)

    first = guest_client.post(path(paid, "cancel/"), follow=True)
    second = guest_client.post(path(paid, "cancel/"), follow=True)

    assert "Your order is cancelled. $87.75 goes back the way you paid." in first.text
    assert second.redirect_chain == [(path(paid), 303)]
    assert "cannot be cancelled here any more" not in second.text
    after = stored(paid)
    assert (after.status, [entry.actor for entry in after.history][-1]) == (OrderStatus.CANCELLED, "shopper")
    assert (made_at(stripe), stock(mug.product_id)) == ([8775], 9)


def test_what_has_left_cannot_be_cancelled(stripe: FakeStripe, guest_client: Client, paid: Order, now: datetime) -> None:
    services.ship(order=paid, carrier="", tracking_number="", actor="staff:eve", now=now)

    for answer in (guest_client.get(path(paid, "cancel/"), follow=True), guest_client.post(path(paid, "cancel/"), follow=True)):
        assert "This order has left us or ended in the meantime" in answer.text
    assert (stored(paid).status, made_at(stripe)) == (OrderStatus.SHIPPED, [])


def test_an_order_by_its_link_stays_on_its_link(paid: Order) -> None:
    key = f"?key={queries.key_of(paid.order_id)}"
    elsewhere = Client()

    page = elsewhere.get(path(paid) + key)
    cancelled = elsewhere.post(path(paid, "cancel/") + key)

    for onward in ("cancel/", "again/", "invoice.pdf", f"reviews/{paid.lines[0].product_id}/"):
        assert f'"{path(paid, onward)}{key}"' in page.text
    assert cancelled["Location"] == path(paid) + key


@pytest.mark.parametrize("more", ["", "cancel/", "invoice.pdf", "credit-notes/CN-000001.pdf"])
def test_nobody_else_finds_any_page_of_it(
    guest_client: Client, paid: Order, sign_in: Callable[..., Viewer], now: datetime, more: str
) -> None:
    services.issue_invoice(order=paid, now=now)
    ask(stored(paid), now, extra=usd(500))
    services.issue_credit_note(order_id=paid.order_id, key="1", now=now)
    stranger, other = Client(), Client()
    sign_in(other)
    other_key = queries.key_of("ord-another")

    assert guest_client.get(path(paid, more)).status_code == 200
    for client in (stranger, other):
        for query in ("", "?key=forged", f"?key={other_key}"):
            assert client.get(path(paid, more) + query).status_code == 404, query
            if more == "cancel/":
                assert client.post(path(paid, more) + query).status_code == 404
                assert client.post(path(paid, "again/") + query).status_code == 404
    assert stored(paid).status is OrderStatus.PROCESSING


def test_buying_again_fills_the_cart_and_names_what_is_missing(
    stripe: FakeStripe, guest_client: Client, paid: Order, mug: Product, lamp: Product, now: datetime
) -> None:
    set_stock(product_id=lamp.product_id, inventory=0, now=now)
    set_stock(product_id=mug.product_id, inventory=1, now=now)

    answer = guest_client.post(path(paid, "again/"), follow=True)

    assert answer.redirect_chain == [("/cart/", 303)]
    for words in ("What you ordered is in your cart again", "Not to be had just now: Lamp.", "your cart has 1 × Tide Mug."):
        assert words in answer.text
    assert words_of(guest_client.get("/cart/badge/").text) == "Cart, 1 item"


def test_buying_again_twice_is_no_more_and_takes_nothing_away(
    guest_client: Client, paid: Order, mug: Product, lamp: Product
) -> None:
    guest_client.post("/cart/add/", {"product_id": lamp.product_id, "quantity": "3"})

    for _ in range(2):
        guest_client.post(path(paid, "again/"))

    assert words_of(guest_client.get("/cart/badge/").text) == "Cart, 5 items"


def test_nothing_to_buy_again_leaves_the_cart_alone(
    guest_client: Client, paid: Order, mug: Product, lamp: Product, now: datetime
) -> None:
    for product in (mug, lamp):
        set_stock(product_id=product.product_id, inventory=0, now=now)

    answer = guest_client.post(path(paid, "again/"), follow=True)

    assert "Nothing of this order can be bought just now" in answer.text
    assert words_of(guest_client.get("/cart/badge/").text) == "Cart"


def test_who_buys_again_by_a_link_gets_a_cart_of_their_own(paid: Order) -> None:
    elsewhere = Client()

    elsewhere.post(f"{path(paid, 'again/')}?key={queries.key_of(paid.order_id)}")

    assert words_of(elsewhere.get("/cart/badge/").text) == "Cart, 3 items"


def test_an_unpaid_order_is_kept_longer_once(
    stripe: FakeStripe, guest_client: Client, guest: Owner, mug: Product, now: datetime
) -> None:
    order = factories.make_order(guest, {mug.product_id: 1}, now)
    pay = f"/checkout/{order.order_id}/pay/"
    assert "Keep it 15 minutes longer" in guest_client.get(pay).text

    first = guest_client.post(f"/checkout/{order.order_id}/keep/", follow=True)
    second = guest_client.post(f"/checkout/{order.order_id}/keep/", follow=True)

    assert "We keep your items a quarter of an hour longer." in first.text
    assert f"{order.created_at + timedelta(minutes=45):%H:%M} UTC" in first.text
    for answer in (first, second):
        assert "Keep it 15 minutes longer" not in answer.text
    assert stored(order).due_at == order.created_at + HOLD + timedelta(minutes=15)


def test_an_order_whose_time_is_over_is_not_kept_longer(guest_client: Client, guest: Owner, mug: Product, now: datetime) -> None:
    order = factories.make_order(guest, {mug.product_id: 1}, now - HOLD)

    answer = guest_client.post(f"/checkout/{order.order_id}/keep/", follow=True)

    assert "The time was over already" in answer.text
    assert stored(order).due_at == order.due_at


def test_an_unpaid_order_offers_paying_and_leads_cancelling_there(
    stripe: FakeStripe, guest_client: Client, guest: Owner, mug: Product, now: datetime
) -> None:
    order = factories.make_order(guest, {mug.product_id: 1}, now)

    page = guest_client.get(path(order)).text

    assert "Placed, waiting for payment" in words_of(page)
    assert f">Pay {order.total}</a>" in page
    assert "Buy this again" not in page
    assert guest_client.get(path(order, "cancel/"))["Location"].startswith(f"/checkout/{order.order_id}/pay/")


def test_an_order_in_the_specifications_form_has_a_page(guest_client: Client, paid: Order) -> None:
    from orders.models import PAYMENT, OrderRow, order_key

    order_key(paid.owner, paid.order_id).update(
        actions=[OrderRow.history.remove(), PAYMENT.card_last4.remove(), PAYMENT.payment_intent_id.remove()]
    )

    page = guest_client.get(path(paid))

    assert page.status_code == 200
    assert section(page.text, "Payment").startswith("Payment Card$87.75")
    assert "Cancel this order" not in page.text


def test_every_carrier_of_the_table_has_a_secure_address_that_holds_the_number() -> None:
    for carrier in CARRIERS:
        assert re.fullmatch(r"https://[a-z.-]+/\S*A%2FB1\S*", tracking_url(carrier, " A/B 1 ")), carrier
    assert tracking_url("royal-MAIL", "AB1").endswith("/AB1")
    assert (tracking_url("Bob’s van", "1"), tracking_url("UPS", "  ")) == ("", "")


@pytest.mark.parametrize(
    ("brand", "last4", "words"),
    [
        ("amex", "0005", "American Express ending in 0005"),
        ("visa", "4242", "Visa ending in 4242"),
        ("", "1", "Card ending in 1"),
        ("visa", "", ""),
    ],
)
def test_cards_are_named_as_people_know_them(brand: str, last4: str, words: str) -> None:
    assert Payment(usd(1), card_brand=brand, card_last4=last4).card == words


# --- Documents --------------------------------------------------------------------------------------------------------


def test_invoice_and_credit_note_are_downloads_nobody_keeps(guest_client: Client, paid: Order, now: datetime) -> None:
    services.issue_invoice(order=paid, now=now)
    ask(stored(paid), now, extra=usd(500))
    services.issue_credit_note(order_id=paid.order_id, key="1", now=now)

    for more, name in (("invoice.pdf", "INV-000001"), ("credit-notes/CN-000001.pdf", "CN-000001")):
        answer = guest_client.get(path(paid, more))
        assert answer.content.startswith(b"%PDF-")
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"] == f'attachment; filename="{name}.pdf"'
        assert answer["Cache-Control"] == "private, no-store"
        assert Client().get(f"{path(paid, more)}?key={queries.key_of(paid.order_id)}").content == answer.content
    assert guest_client.get(path(paid, "credit-notes/CN-000002.pdf")).status_code == 404


def test_staff_who_may_see_orders_may_download_and_others_may_not(
    paid: Order, sign_in: Callable[..., Viewer], now: datetime
) -> None:
    services.issue_invoice(order=paid, now=now)
    seer, editor = Client(), Client()
    sign_in(seer, "orders.view")
    sign_in(editor, "products.edit", "orders.ship")

    assert seer.get(path(paid, "invoice.pdf")).status_code == 200
    assert seer.get("/orders/ord-nobody/invoice.pdf").status_code == 404
    assert editor.get(path(paid, "invoice.pdf")).status_code == 404


def test_before_there_is_an_invoice_a_page_says_so(
    stripe: FakeStripe, guest_client: Client, paid: Order, mug: Product, now: datetime
) -> None:
    waiting = factories.make_order(new_guest(now), {mug.product_id: 1}, now)

    soon = guest_client.get(path(paid, "invoice.pdf"))
    never = Client().get(f"{path(waiting, 'invoice.pdf')}?key={queries.key_of(waiting.order_id)}")

    assert (soon.status_code, never.status_code) == (404, 404)
    assert "Your invoice is being written" in soon.text
    assert "An order gets its invoice when it is paid." in never.text
    with pytest.raises(books.InvoiceNotFound):
        books.invoice_of(stored(paid))
