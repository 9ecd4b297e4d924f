"""What a page says when trouble comes after something has happened: nothing that is not so."""

from contextlib import ExitStack
from datetime import datetime

import pytest
from django.test import Client

from orders.domain import OrderStatus
from orders.models import EffectRow
from orders.payments import gateway
from orders.queries import key_of, order_by_id
from shop.lib.deadline import OutOfTime
from shop.lib.once import LEASE, once
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import words_of
from tests.orders.walk import fields_of, orders, walk_to_review
from tests.rivals import fails, refusal, run_around, run_before

pytestmark = pytest.mark.usefixtures("tables")
THROTTLED = refusal("UpdateItem", "ThrottlingException")


def test_who_has_paid_is_never_told_that_nothing_was_charged(
    client: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    order = factories.open_payment(factories.make_order(guest, {factories.make_product().product_id: 1}, now))
    assert stripe.pay(order.payment.session_id) == "paid"

    with run_before("UpdateItem", fails(THROTTLED)):
        answer = client.get(f"/checkout/{order.order_id}/return/?key={key_of(order.order_id)}")

    assert answer.status_code == 503
    assert "nothing was charged" not in words_of(answer.text)


def test_who_has_paid_and_comes_back_to_a_slow_shop_is_told_to_wait(
    client: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    order = factories.open_payment(factories.make_order(guest, {factories.make_product().product_id: 1}, now))
    assert stripe.pay(order.payment.session_id) == "paid"

    with run_around(gateway(), "session", fails(OutOfTime()), when="before"):
        answer = client.get(f"/checkout/{order.order_id}/return/?key={key_of(order.order_id)}")

    assert answer.status_code == 503
    assert "nothing was charged" not in words_of(answer.text)


@pytest.mark.parametrize("is_late", [False, True])
def test_a_placed_order_is_not_denied_when_its_page_cannot_be_opened(client: Client, stripe: FakeStripe, is_late: bool) -> None:
    fields = fields_of(walk_to_review(client, factories.make_product().product_id))
    trouble = (
        run_around(gateway(), "open_session", fails(OutOfTime()), when="before")
        if is_late
        else run_before("UpdateItem", fails(THROTTLED))
    )

    with trouble:
        answer = client.post("/checkout/place/", fields)
    assert len(orders()) == 1
    assert answer.status_code == 303
    answer = client.get(answer["Location"])

    assert "Nothing was charged and your items are kept" in answer.text
    assert "was not carried out" not in words_of(answer.text)
    assert "Your cart is kept" not in words_of(answer.text)


def test_a_cancelled_order_is_not_denied_when_the_cart_cannot_be_filled(
    guest_client: Client, guest: Owner, now: datetime
) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)

    with run_before("PutItem", fails(refusal("PutItem", "ThrottlingException"))):
        answer = guest_client.post(f"/checkout/{order.order_id}/cancel/")

    assert order_by_id(order_id=order.order_id).status is OrderStatus.CANCELLED
    assert "was not carried out" not in words_of(answer.text)


def test_the_reason_an_effect_failed_is_told_though_its_lease_ran_out(now: datetime) -> None:
    slow = ExitStack()
    slow.enter_context(once(EffectRow, "mail", now=now))
    error = RuntimeError("no mail today")

    with once(EffectRow, "mail", now=now + LEASE):
        is_passed_on = slow.__exit__(type(error), error, None) is False

    assert is_passed_on
