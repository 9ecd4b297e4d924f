from __future__ import annotations

from typing import Any

import pytest
import stripe

from shop.local.fake_stripe import FakeStripe
from tests.shop.local.fake_stripe.scene import GENERIC_DECLINE, Clock, Endpoint, line, open_session, paid_intent, shipping


def test_a_new_session_is_open_unpaid_and_counts_its_lines(client: stripe.StripeClient) -> None:
    session = open_session(client)

    assert session.id.startswith("cs_test_")
    assert (session.status, session.payment_status, session.mode) == ("open", "unpaid", "payment")
    assert (session.amount_subtotal, session.amount_total, session.currency) == (7529, 7529, "usd")
    assert session.payment_intent is None
    assert session.livemode is False
    assert session.client_reference_id == "order-1"
    assert session.metadata is not None
    assert session.metadata.to_dict() == {"order": "order-1"}
    assert session.expires_at - session.created == 24 * 3600
    assert str(session.url).endswith(f"/c/pay/{session.id}")


def test_shipping_is_added_to_the_total(client: stripe.StripeClient) -> None:
    session = open_session(client, shipping_options=[shipping("Standard", 595), shipping("Express", 1500)])

    assert (session.amount_subtotal, session.amount_total) == (7529, 8124)
    assert session.total_details is not None
    assert session.total_details.amount_shipping == 595
    assert session.shipping_cost is not None
    assert session.shipping_cost.amount_total == 595
    assert [option.shipping_amount for option in session.shipping_options] == [595, 1500]


def test_line_items_are_listed_in_their_order(client: stripe.StripeClient) -> None:
    session = open_session(client)

    first = client.v1.checkout.sessions.line_items.list(session.id, {"limit": 1})
    rest = client.v1.checkout.sessions.line_items.list(session.id, {"starting_after": first.data[0].id})

    assert first.has_more is True
    assert [(one.description, one.quantity, one.amount_total) for one in first.data] == [("Mug", 2, 4998)]
    assert [(one.description, one.quantity, one.amount_total) for one in rest.data] == [("Socks", 1, 2531)]
    assert rest.has_more is False


@pytest.mark.parametrize(
    ("life", "words"),
    [
        (30 * 60 - 5, "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."),
        (24 * 3600 + 60, "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."),
    ],
)
def test_an_end_too_near_or_too_far_is_refused(client: stripe.StripeClient, clock: Clock, life: int, words: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(client, expires_at=int(clock()) + life)

    assert refused.value.user_message == words
    assert (refused.value.http_status, refused.value.param) == (400, "expires_at")
    assert client.v1.checkout.sessions.list().data == []


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"success_url": None}, "parameter_missing", "success_url"),
        ({"success_url": "not-an-address"}, "url_invalid", "success_url"),
        ({"line_items": None}, "parameter_missing", "line_items"),
        ({"line_items": [line(unit=49)]}, "amount_too_small", "line_items"),
        ({"line_items": [line() | {"quantity": 0}]}, "parameter_invalid_integer", "line_items[0][quantity]"),
        ({"line_items": [line(name="")]}, "parameter_missing", "line_items[0][price_data][product_data][name]"),
        (
            {"line_items": [{"price_data": line()["price_data"] | {"unit_amount": "9.5"}, "quantity": 1}]},
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
        ),
        ({"line_items": [line(), line(currency="eur")]}, None, "line_items"),
        ({"customer": "cus_unknown"}, "resource_missing", "customer"),
        ({"colour": "blue"}, "parameter_unknown", "colour"),
        ({"payment_intent_data": {"colour": "blue"}}, "parameter_unknown", "payment_intent_data[colour]"),
        ({"metadata": {"k" * 41: "v"}}, None, "metadata"),
        ({"mode": "subscription"}, None, "mode"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name_and_nothing_is_created(
    client: stripe.StripeClient, changes: dict[str, Any], code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(client, **changes)

    assert (refused.value.code, refused.value.param) == (code, param)
    assert client.v1.checkout.sessions.list().data == []


def test_an_open_session_is_expired_once(client: stripe.StripeClient, endpoint: Endpoint) -> None:
    session = open_session(client)

    expired = client.v1.checkout.sessions.expire(session.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.expire(session.id)

    assert (expired.status, expired.payment_status, expired.url) == ("expired", "unpaid", None)
    assert refused.value.user_message == (
        'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of expired.'
    )
    assert endpoint.next_types(1) == ["checkout.session.expired"]


def test_a_paid_session_cannot_be_expired(fake: FakeStripe, client: stripe.StripeClient) -> None:
    session = open_session(client)
    fake.pay(session.id)

    with pytest.raises(stripe.InvalidRequestError, match="has a status of complete"):
        client.v1.checkout.sessions.expire(session.id)

    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_a_session_expires_by_itself_when_its_time_is_over(client: stripe.StripeClient, clock: Clock, endpoint: Endpoint) -> None:
    session = open_session(client, expires_at=int(clock()) + 1860)

    clock.offset = 1859 - 5
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    clock.offset = 1862
    event = endpoint.next_event()

    assert event.type == "checkout.session.expired"
    assert event.data.object["id"] == session.id
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_a_session_that_expires_after_a_decline_cancels_its_intent(fake: FakeStripe, client: stripe.StripeClient) -> None:
    session = open_session(client)
    fake.pay(session.id, number=GENERIC_DECLINE)

    client.v1.checkout.sessions.expire(session.id)

    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert isinstance(after.payment_intent, stripe.PaymentIntent)
    assert (after.payment_intent.status, after.payment_intent.cancellation_reason) == ("canceled", "expired")


def test_sessions_are_listed_newest_first_in_pages(client: stripe.StripeClient) -> None:
    ids = [open_session(client).id for _ in range(3)]

    first = client.v1.checkout.sessions.list({"limit": 2})
    second = client.v1.checkout.sessions.list({"limit": 2, "starting_after": ids[1]})

    assert ([one.id for one in first.data], first.has_more) == ([ids[2], ids[1]], True)
    assert ([one.id for one in second.data], second.has_more) == ([ids[0]], False)
    assert [one.id for one in first.auto_paging_iter()] == ids[::-1]


def test_a_session_is_found_by_its_payment_intent(fake: FakeStripe, client: stripe.StripeClient) -> None:
    open_session(client)
    intent = paid_intent(fake, client)

    found = client.v1.checkout.sessions.list({"payment_intent": intent}).data

    assert [one.payment_intent for one in found] == [intent]


def test_expand_gives_the_intent_its_charge_and_the_lines(fake: FakeStripe, client: stripe.StripeClient) -> None:
    session = open_session(client)
    fake.pay(session.id)

    expand = ["payment_intent.latest_charge", "line_items"]
    full = client.v1.checkout.sessions.retrieve(session.id, {"expand": expand})
    listed = client.v1.checkout.sessions.list({"expand": ["data.payment_intent"]}).data[0]

    assert isinstance(full.payment_intent, stripe.PaymentIntent)
    assert isinstance(full.payment_intent.latest_charge, stripe.Charge)
    assert full.payment_intent.latest_charge.amount == 7529
    assert full.line_items is not None
    assert len(full.line_items.data) == 2
    assert isinstance(listed.payment_intent, stripe.PaymentIntent)


def test_what_cannot_be_expanded_is_refused(client: stripe.StripeClient) -> None:
    session = open_session(client)

    with pytest.raises(stripe.InvalidRequestError, match=r"This property cannot be expanded \(status\)."):
        client.v1.checkout.sessions.retrieve(session.id, {"expand": ["status"]})
