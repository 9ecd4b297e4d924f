"""The page where a buyer reviews what they bought, and where its words end up."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from catalog import review_queries
from catalog import services as catalog_services
from catalog.domain import Product
from catalog.review_domain import ReviewStatus, Words
from orders import queries, services
from orders.domain import Order, OrderStatus
from orders.models import OrderRow, order_key
from shop.lib.owner import Owner
from shop.lib.viewer import Viewer
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import counted_calls, items_of, words_of
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")

GOOD = {"stars": "4", "title": "Fine mug", "text": "It keeps the tea warm.", "author": "Ada"}
MODERATOR = Viewer("user-mo", "Mo", "mo@example.com", "staff")
HOSTILE = [
    "<script>alert(1)</script>",
    "</p><img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "{{ settings.SECRET_KEY }}{% debug %}",
    "</script><script>alert(1)</script>",
    "javascript:alert(1) https://evil.example/",
]


@pytest.fixture
def mug() -> Product:
    return factories.make_product(name="Tide Mug", rating=None)


@pytest.fixture
def bought(stripe: FakeStripe, guest: Owner, mug: Product, now: datetime) -> Order:
    """A paid order of a mug."""
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 1}, now))
    stripe.pay(order.payment.session_id)
    return services.settle(session_id=order.payment.session_id, now=now)


def path_of(order: Order, product_id: str = "") -> str:
    return f"/orders/{order.order_id}/reviews/{product_id or order.lines[0].product_id}/"


def reviews() -> list[dict[str, Any]]:
    return [item for item in items_of("Products") if item["SK"]["S"].startswith(("REVIEW", "REVIEWED"))]


def to_status(order: Order, status: OrderStatus) -> None:
    order_key(order.owner, order.order_id).update(actions=[OrderRow.status.set(status)])


def approve(product_id: str, now: datetime) -> None:
    (review,) = review_queries.reviews_to_moderate(status=ReviewStatus.PENDING).items
    catalog_services.approve_review(product_id=product_id, review_id=review.review_id, actor=MODERATOR, now=now)


def test_a_buyer_reviews_from_the_order_page_and_reads_it_on_the_product_page(
    guest_client: Client, client: Client, bought: Order, mug: Product, now: datetime
) -> None:
    link = re.search(rf'href="({path_of(bought)})"', guest_client.get(f"/orders/{bought.order_id}/").text)
    assert link
    form = guest_client.get(link[1])
    assert form.status_code == 200
    assert 'value="Ada"' in form.text

    sent = guest_client.post(link[1], GOOD)
    assert (sent.status_code, sent["Location"]) == (303, link[1])
    thanks = words_of(guest_client.get(link[1]).text)
    assert "Thank you" in thanks
    assert "Your review appears after we have read it" in thanks
    assert "It keeps the tea warm." in thanks
    assert "tea warm" not in client.get(mug.path).text
    approve(mug.product_id, now)

    page = client.get(mug.path).text
    assert "public" in client.get(mug.path)["Cache-Control"]
    for words in ("Fine mug", "It keeps the tea warm.", "Ada", "Verified buyer", "4.0", "1 rating"):
        assert words in words_of(page)
    assert "Fine mug" in words_of(client.get(f"{mug.path}reviews/").text)
    assert "Your review is in the shop" in words_of(guest_client.get(link[1]).text)


def test_the_link_in_the_mail_is_enough_and_leads_back(client: Client, bought: Order) -> None:
    key = f"?key={queries.key_of(bought.order_id)}"
    order_page = client.get(f"/orders/{bought.order_id}/{key}").text
    assert f'href="{path_of(bought)}{key}"' in order_page

    sent = client.post(f"{path_of(bought)}{key}", GOOD)

    assert sent["Location"] == f"{path_of(bought)}{key}"
    assert f'href="/orders/{bought.order_id}/{key}"' in client.get(sent["Location"]).text
    assert len(review_queries.reviews_to_moderate(status=ReviewStatus.PENDING).items) == 1


def test_a_second_review_shows_the_first_kindly_and_writes_nothing(guest_client: Client, bought: Order) -> None:
    guest_client.post(path_of(bought), GOOD)
    before = items_of("Products")

    again = guest_client.post(path_of(bought), GOOD | {"text": "Second thoughts."})

    assert again.status_code == 200
    assert "It keeps the tea warm." in again.text
    assert "Second thoughts." not in again.text
    assert items_of("Products") == before


def test_two_clicks_at_the_same_moment_are_one_review(guest_client: Client, bought: Order) -> None:
    other = Client()
    other.cookies = guest_client.cookies

    with run_before("TransactWriteItems", lambda: other.post(path_of(bought), GOOD)):
        answer = guest_client.post(path_of(bought), GOOD | {"text": "The slower click."})

    assert answer.status_code == 303
    assert "It keeps the tea warm." in guest_client.get(path_of(bought)).text
    assert len(review_queries.reviews_to_moderate(status=ReviewStatus.PENDING).items) == 1


def test_nobody_reviews_with_another_s_order(client: Client, bought: Order, now: datetime) -> None:
    other = factories.make_product()

    for path in (path_of(bought), f"{path_of(bought)}?key=forged", path_of(bought, other.product_id)):
        assert client.get(path).status_code == 404
        assert client.post(path, GOOD).status_code == 404
    assert reviews() == []


def test_a_product_that_was_not_bought_cannot_be_reviewed(guest_client: Client, bought: Order, now: datetime) -> None:
    other = factories.make_product()

    for product_id in (other.product_id, "prod-none"):
        assert guest_client.post(path_of(bought, product_id), GOOD).status_code == 404
        with pytest.raises(services.NotReviewable):
            services.submit_review(order=bought, product_id=product_id, words=Words(5, "Fine", "Warm.", "Ada"), now=now)
    assert reviews() == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (OrderStatus.PENDING, "as soon as the order is paid"),
        (OrderStatus.EXPIRED, "cancelled or refunded"),
        (OrderStatus.CANCELLED, "cancelled or refunded"),
        (OrderStatus.REFUND_PENDING, "cancelled or refunded"),
        (OrderStatus.REFUNDED, "cancelled or refunded"),
    ],
)
def test_only_what_is_paid_and_kept_is_reviewed(guest_client: Client, bought: Order, status: OrderStatus, words: str) -> None:
    to_status(bought, status)

    look, sent = guest_client.get(path_of(bought)), guest_client.post(path_of(bought), GOOD)

    assert (look.status_code, sent.status_code) == (200, 409)
    assert words in look.text
    assert words in sent.text
    assert f'href="{path_of(bought)}"' not in guest_client.get(f"/orders/{bought.order_id}/").text
    assert reviews() == []


@pytest.mark.parametrize("status", [OrderStatus.SHIPPED, OrderStatus.DELIVERED])
def test_what_is_on_its_way_or_there_can_be_reviewed(guest_client: Client, bought: Order, status: OrderStatus) -> None:
    to_status(bought, status)

    assert guest_client.post(path_of(bought), GOOD).status_code == 303
    assert len(reviews()) == 3


def test_a_refund_at_the_very_moment_wins(guest_client: Client, bought: Order) -> None:
    with run_before("TransactWriteItems", lambda: to_status(bought, OrderStatus.REFUND_PENDING)):
        answer = guest_client.post(path_of(bought), GOOD)

    assert answer.status_code == 409
    assert reviews() == []


def test_a_product_that_was_deleted_says_so(guest_client: Client, bought: Order, mug: Product) -> None:
    factories.delete_product(mug.product_id)

    answer = guest_client.post(path_of(bought), GOOD)

    assert answer.status_code == 409
    assert "no longer part of our shop" in answer.text
    assert reviews() == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"stars": ""}, "Please choose how many stars."),
        ({"stars": "0"}, "Please choose from one to five stars."),
        ({"stars": "6"}, "Please choose from one to five stars."),
        ({"stars": "4.5"}, "Please choose from one to five stars."),
        ({"stars": "²"}, "Please choose from one to five stars."),
        ({"text": " \r\n "}, "Please write a sentence or two."),
        ({"text": "x" * 2001}, "at most 2000 characters"),
        ({"text": "bell\x07"}, "without control characters"),
        ({"title": "t" * 81}, "at most 80 characters"),
        ({"title": "two\nlines"}, "without control characters"),
        ({"author": ""}, "Please give a name to show beside your review."),
        ({"author": "a" * 41}, "at most 40 characters"),
        ({"author": "null\x00"}, "without control characters"),
    ],
)
def test_bad_input_gets_a_clear_message_and_keeps_what_was_typed(
    guest_client: Client, bought: Order, fields: dict[str, str], words: str
) -> None:
    typed = GOOD | {"title": "Something typed"} | fields

    answer = guest_client.post(path_of(bought), typed)

    assert answer.status_code == 422
    assert words in answer.text
    if "title" not in fields:
        assert 'value="Something typed"' in answer.text
    assert reviews() == []


def test_text_of_2000_characters_fits_however_the_browser_ends_its_lines(guest_client: Client, bought: Order) -> None:
    text = ("x" * 99 + "\r\n") * 20

    assert guest_client.post(path_of(bought), GOOD | {"text": text}).status_code == 303


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_are_shown_as_they_are_and_never_run(
    guest_client: Client, sign_in: Callable[..., Viewer], bought: Order, mug: Product, now: datetime, text: str
) -> None:
    guest_client.post(path_of(bought), {"stars": "1", "title": text[:80], "text": text, "author": text[:40]})
    staff = Client()
    sign_in(staff, "reviews.moderate")
    pages = [guest_client.get(path_of(bought)).text, staff.get("/staff/reviews/").text]
    approve(mug.product_id, now)
    pages += [guest_client.get(mug.path).text, guest_client.get(f"{mug.path}reviews/").text]

    for page in pages:
        assert not re.search(r"<(script>alert|img src=x|svg/onload)|<a [^>]*(evil|javascript:)", page)
        assert words_of(text) in words_of(page) or "<" in text
        assert "{{ settings" in page or "settings" not in text
    structured = re.findall(r'<script type="application/ld\+json">(.*?)</script>', pages[2], re.DOTALL)
    assert len(structured) == 2


def test_marks_that_turn_writing_round_are_dropped(guest_client: Client, bought: Order) -> None:
    guest_client.post(path_of(bought), GOOD | {"text": "Fine.\u202eevil\u2066 \u05e9\u05dc\u05d5\u05dd", "author": "Ada\u202e"})

    (review,) = review_queries.reviews_to_moderate(status=ReviewStatus.PENDING).items
    assert (review.words.text, review.words.author) == ("Fine.evil \u05e9\u05dc\u05d5\u05dd", "Ada")


def test_the_page_costs_a_fixed_number_of_calls(guest_client: Client, bought: Order) -> None:
    guest_client.get(path_of(bought))  # the menu is kept from now on
    with counted_calls() as calls:
        guest_client.get(path_of(bought))
    assert calls == ["GetItem", "BatchGetItem"]
    guest_client.post(path_of(bought), GOOD)
    with counted_calls() as calls:
        guest_client.get(path_of(bought))
    assert calls == ["GetItem", "BatchGetItem", "GetItem"]
