"""The conditions that guard webhooks and effects, one by one: each test fails when its guard is taken away.

Somebody else acts at the one instant at which only that guard stands between them and a wrong order (see tests/rivals.py).
"""

from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest
from django.test import Client
from pynamodb.exceptions import UpdateError
from pytest_django import Settings

from orders import payments, queries
from orders.domain import Order, OrderStatus
from orders.models import EffectRow
from shop.lib.once import LEASE, InProgress, once
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.orders.guards.stripes_word import deliver, event
from tests.rivals import Killed, killed, run_before

pytestmark = pytest.mark.usefixtures("tables")


# --- Webhooks ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    """An order whose shopper has paid and closed the tab."""
    order = factories.open_payment(factories.make_order(guest, {factories.make_product().product_id: 1}, now))
    assert stripe.pay(order.payment.session_id) == "paid"
    stripe.state.requests.clear()
    return order


def test_a_webhook_of_another_deployment_on_the_same_account_is_left_alone(
    client: Client, stripe: FakeStripe, paid: Order
) -> None:
    foreign = event(stripe, paid.payment.session_id)
    foreign["data"]["object"]["metadata"]["deployment"] = "0123456789abcdef"
    nameless = event(stripe, paid.payment.session_id)
    nameless["data"]["object"]["metadata"] = {}

    answers = [deliver(client, foreign), deliver(client, nameless)]

    assert answers == [(200, "not for us")] * 2
    assert list(stripe.state.requests) == []
    assert queries.order_by_id(order_id=paid.order_id).status is OrderStatus.PENDING
    assert deliver(client, event(stripe, paid.payment.session_id)) == (200, "thank you")


@pytest.mark.parametrize(("key", "livemode"), [("sk_test_tests", True), ("sk_live_tests", False), ("rk_live_tests", False)])
def test_a_webhook_of_the_other_mode_is_left_alone(
    client: Client, stripe: FakeStripe, paid: Order, settings: Settings, key: str, livemode: bool
) -> None:
    settings.STRIPE_SECRET_KEY = key
    payments.gateway.cache_clear()

    assert deliver(client, event(stripe, paid.payment.session_id, livemode=livemode)) == (200, "not for us")

    assert list(stripe.state.requests) == []
    assert queries.order_by_id(order_id=paid.order_id).status is OrderStatus.PENDING


# --- Effects, once ----------------------------------------------------------------------------------------------------


def test_who_outlived_the_lease_neither_ends_nor_gives_back_the_claim_of_the_next(now: datetime) -> None:
    for ending in (None, RuntimeError("no mail today")):
        key = f"mail-{ending}"
        slow, next_one = ExitStack(), once(EffectRow, key, now=now + LEASE)
        assert slow.enter_context(once(EffectRow, key, now=now)) is True
        assert next_one.__enter__() is True

        if ending:  # its own error goes on
            assert slow.__exit__(type(ending), ending, None) is False
        else:
            with pytest.raises(UpdateError):
                slow.__exit__(None, None, None)

        with pytest.raises(InProgress), once(EffectRow, key, now=now + LEASE):
            pass
        next_one.__exit__(None, None, None)
        with once(EffectRow, key, now=now + LEASE) as is_ours:
            assert is_ours is False


def test_a_claim_is_kept_from_others_to_the_last_second_of_its_lease_and_no_longer(now: datetime) -> None:
    with pytest.raises(Killed), run_before("DeleteItem", killed), once(EffectRow, "mail", now=now):
        raise RuntimeError("the process dies before it can give the claim back")

    with pytest.raises(InProgress), once(EffectRow, "mail", now=now + LEASE - timedelta(seconds=1)):
        pass
    with once(EffectRow, "mail", now=now + LEASE) as is_ours:
        assert is_ours is True


def test_an_effect_done_long_ago_is_not_done_again(now: datetime) -> None:
    with once(EffectRow, "mail", now=now):
        pass

    with once(EffectRow, "mail", now=now + 2 * LEASE) as is_ours:
        assert is_ours is False
