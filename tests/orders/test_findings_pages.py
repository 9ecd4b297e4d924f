"""Staff's page of what does not add up, and the way out of each."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.test import Client

from orders import ledger_queries, services
from orders.domain import OrderStatus
from orders.ledger_domain import Finding, FindingKind
from orders.noting import note_finding
from orders.wording import FINDINGS
from shop.lib.money import Money
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
    assert set(FINDINGS) == set(FindingKind)


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


def test_what_is_found_again_keeps_the_time_it_was_first_found(now: datetime) -> None:
    first = Finding(FindingKind.REFUNDS, "pi_1", now, "Stripe gave back $1.00.", "ord-1", "pi_1", Money(100, "USD"))
    later = replace(first, found_at=now + timedelta(hours=1), detail="Stripe gave back $2.00.", amount=Money(200, "USD"))
    note_finding(first)
    note_finding(later)

    assert ledger_queries.findings() == (replace(later, found_at=now),)


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


@pytest.mark.parametrize("kind", FindingKind)
def test_each_kind_says_what_it_is_and_what_its_button_does(
    client: Client, sign_in: SignIn, now: datetime, kind: FindingKind
) -> None:
    note_finding(Finding(kind, "subject-1", now, "Twelve here, ten there.", "ord-1", "pi_1"))
    sign_in(client, "orders.view", "orders.refund")

    page = words_of(client.get(f"/staff/reconciliation/{kind}/subject-1/").text)

    words = FINDINGS[kind]
    assert f"{words.title} What was found {words.meaning} Found" in page
    assert f"Put it right {words.effect} Pressed twice, it is still done once. {words.button}" in page
    assert ("The next comparison, within the hour, finds it again" in page) == (kind is FindingKind.STOCK)


def test_a_stock_that_is_wrong_is_put_right_from_the_list_to_the_trail(client: Client, sign_in: SignIn, now: datetime) -> None:
    mug = factories.make_product(name="Mug", inventory=5)
    note_finding(Finding(FindingKind.STOCK, mug.product_id, now, "Mug: 5 in stock, 7 by what came in and went out."))
    sign_in(client, "orders.view", "orders.refund", "products.view", "audit.view")
    address = f"/staff/reconciliation/stock/{mug.product_id}/"
    assert f'href="{address}"' in client.get("/staff/reconciliation/").text
    page = client.get(address).text
    assert f'href="/staff/stock/{mug.product_id}/"' in page
    assert "The number in stock stays as it is" in page

    done = client.post(address, {"way": "put_right"}, follow=True)

    assert "The difference is recorded; the number in stock stayed as it was." in words_of(done.text)
    trail = client.get("/staff/audit/?of=orders").text
    assert (
        "Ada Lovelace put right Reconciliation What was found: The stock is not what came in and went out Detail: Mug: 5 in"
        " stock, 7 by what came in and went out. Way out: Take the number in stock for right"
    ) in words_of(trail)
    assert f'<a href="/staff/products/{mug.product_id}/">Mug: 5 in stock' in trail
    assert '<a href="/staff/reconciliation/">Reconciliation</a>' in trail


def test_the_stock_of_a_product_that_is_gone_is_dismissed(client: Client, sign_in: SignIn, now: datetime) -> None:
    note_finding(Finding(FindingKind.STOCK, "prod-gone", now, "Mug: 5 in stock, 7 by what came in and went out."))
    sign_in(client, "orders.view", "orders.refund")
    address = "/staff/reconciliation/stock/prod-gone/"

    answer = client.post(address, {"way": "put_right"})

    assert (answer.status_code, len(ledger_queries.findings())) == (422, 1)
    assert "The product is gone, and its stock with it: dismiss this." in words_of(answer.text)
    assert "products" not in client.get(address).text.partition("<main")[2]
    assert client.post(address, {"way": "dismiss", "note": "Deleted"}).status_code == 303
    assert ledger_queries.findings() == ()


@pytest.mark.usefixtures("stripe")
def test_what_stripe_refuses_is_told_with_the_way_on(client: Client, sign_in: SignIn, now: datetime) -> None:
    note_finding(Finding(FindingKind.PAYMENT_WITHOUT_ORDER, "pi_1", now, "Nobody knows it.", "", "pi_1"))
    sign_in(client, "orders.view", "orders.refund")

    answer = client.post("/staff/reconciliation/payment_without_order/pi_1/", {"way": "put_right"})

    assert (answer.status_code, len(ledger_queries.findings()), _audit()) == (422, 1, [])
    assert "Stripe refused, so nothing was done: No such payment_intent" in words_of(answer.text)
    assert "See to it in Stripe&#x27;s own pages, then dismiss this." in answer.text
