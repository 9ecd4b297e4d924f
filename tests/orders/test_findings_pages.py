"""Staff's page of what does not add up, and the way out of each."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from orders import ledger_queries, services
from orders.domain import OrderStatus
from orders.findings_views import WORDS
from orders.ledger_domain import Finding, FindingKind
from orders.noting import note_finding
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import items_of, words_of
from tests.orders.paid import paid_order, stored

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., object]


def _audit() -> list[dict[str, object]]:
    return [item for item in items_of("Orders") if item["SK"]["S"].startswith("AUDIT#")]


def test_every_kind_has_words() -> None:
    assert set(WORDS) == set(FindingKind)


def test_one_press_puts_it_right_with_an_entry(
    client: Client, sign_in: SignIn, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    order = paid_order(stripe, guest, {factories.make_product().product_id: 1}, now)
    note_finding(Finding(FindingKind.ORDER_WITHOUT_PAYMENT, order.order_id, now, "Stripe knows of none.", order.order_id))
    sign_in(client, "orders.view", "orders.refund")
    listed = client.get("/staff/reconciliation/").content.decode()
    address = f"/staff/reconciliation/order_without_payment/{order.order_id}/"
    assert f'href="{address}"' in listed
    assert "Stop the order" in client.get(address).content.decode()
    assert stored(order).status is OrderStatus.PROCESSING  # asking changes nothing

    client.post(address, {"way": "put_right"})

    assert stored(order).status is OrderStatus.REVIEW
    assert ledger_queries.findings() == ()
    assert ledger_queries.findings_count() == 0  # a number that is kept for a minute, but not over this
    (entry,) = _audit()
    assert (entry["PK"], entry["action"], entry["actorName"]) == (
        {"S": f"ORDER#{order.order_id}"},
        {"S": "put right"},
        {"S": "Ada Lovelace"},
    )
    assert client.post(address, {"way": "put_right"}).status_code == 404
    assert len(_audit()) == 1


def test_dismissing_needs_a_word(client: Client, sign_in: SignIn, now: datetime) -> None:
    note_finding(Finding(FindingKind.PAYMENT_WITHOUT_ORDER, "pi_1", now, "Nobody knows it."))
    sign_in(client, "orders.view", "orders.refund")
    address = "/staff/reconciliation/payment_without_order/pi_1/"

    refused = client.post(address, {"way": "dismiss", "note": ""})
    assert refused.status_code == 422
    assert "Please say in a few words" in refused.content.decode()
    assert (len(ledger_queries.findings()), _audit()) == (1, [])
    assert ledger_queries.findings_count() == 1

    client.post(address, {"way": "dismiss", "note": "Asked the bank <b>"})
    assert ledger_queries.findings() == ()
    (entry,) = ledger_queries.entries_of_month(month=now).items
    assert (entry.action, entry.changes[-1].after) == ("dismissed", "Asked the bank <b>")


def test_what_stays_wrong_stays_listed(client: Client, sign_in: SignIn, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def put_right(**_: object) -> None:
        raise services.StillWrong

    note_finding(Finding(FindingKind.STOCK, "prod-1", now, "Counted otherwise."))
    monkeypatch.setattr(services, "put_right", put_right)
    sign_in(client, "orders.view", "orders.refund")

    answer = client.post("/staff/reconciliation/stock/prod-1/", {"way": "put_right"})

    assert answer.status_code == 422
    assert "does not add up yet" in answer.content.decode()
    assert len(ledger_queries.findings()) == 1


def test_who_may_only_look_gets_no_way_out(client: Client, sign_in: SignIn, now: datetime) -> None:
    note_finding(Finding(FindingKind.STOCK, "prod-1", now, "<script>alert(1)</script>"))
    sign_in(client, "orders.view")

    page = client.get("/staff/reconciliation/").content.decode()

    assert "The stock is not what came in and went out" in words_of(page)
    assert "/staff/reconciliation/stock/" not in page
    assert "<script>alert" not in page
