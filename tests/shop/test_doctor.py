"""The set-up doctor: what is missing is named, with what to do; what cannot be looked at hides nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe as stripe_sdk
from botocore.exceptions import ClientError
from django.core import mail
from django.test import Client
from pytest_django import Settings

from orders.payments import gateway
from shop.lib.tables import connection
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests.conftest import counted_calls, words_of

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., object]


def test_a_shop_that_is_set_up(client: Client, sign_in: SignIn, stripe: FakeStripe, index: Callable[[], None]) -> None:
    index()
    sign_in(client, role="admin")

    with counted_calls() as calls:
        page = words_of(client.get("/staff/doctor/").content.decode())

    assert "Table Orders Good Active, with indexes, stream and TTL." in page
    assert "Search index Good Published, with 0 products in it." in page
    assert "Payment keys Good Test keys: no real card is charged." in page
    assert "Webhook Good Nothing has happened yet at the stand-in for Stripe, which delivers here by itself." in page
    assert "Contact Good Shoppers are told to write to shop@example.com." in page
    assert "Mails that failed Good None: every mail of the last 90 days found its way." in page
    assert calls == [*["Query"] * 3, *["DescribeTable", "DescribeTimeToLive", "DescribeContinuousBackups"] * 4]


@pytest.mark.parametrize(
    ("is_local", "advice"),
    [
        (True, "Run stripe listen --forward-to {origin}/webhooks/stripe/, then place a test order."),
        (False, "Make a webhook for {origin}/webhooks/stripe/ at Stripe, then place a test order."),
    ],
)
def test_a_webhook_is_asked_for_where_stripe_can_reach_it(
    client: Client,
    sign_in: SignIn,
    stripe: FakeStripe,
    settings: Settings,
    is_local: bool,
    advice: str,
) -> None:
    gateway()  # made while the stand-in is where it answers
    settings.STRIPE_API_ORIGIN = "https://api.stripe.com"
    settings.LOCAL = is_local
    sign_in(client, role="admin")

    page = words_of(client.get("/staff/doctor/").text)

    assert "Webhook Not known Nothing has happened at Stripe in the last 30 days." in page
    assert advice.format(origin=settings.SITE_ORIGIN) in page


def test_what_is_missing_is_named_with_what_to_do(
    client: Client, sign_in: SignIn, stripe: FakeStripe, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = connection().client.describe_table

    def describe_table(*, TableName: str) -> Any:  # noqa: N803 - botocore's name
        if TableName.endswith("Carts"):
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeTable")
        found = real(TableName=TableName)
        if TableName.endswith("Orders"):
            found["Table"]["StreamSpecification"] = {}
        return found

    monkeypatch.setattr(connection().client, "describe_table", describe_table)
    settings.STRIPE_WEBHOOK_SECRET = "nonsense"
    settings.SUPPORT_EMAIL = "No-Reply@moss.example"
    sign_in(client, role="admin")

    page = words_of(client.get("/staff/doctor/").content.decode())

    assert "Payment keys Put this right The webhook secret is not one of Stripe's. Copy the signing secret" in page
    assert "Contact Put this right Shoppers are told to write to No-Reply@moss.example. Set SUPPORT_EMAIL to an address" in page
    assert "Table Carts Not known It may not be looked at (AccessDeniedException). Allow the web function" in page
    assert "Table Orders Put this right It has no stream. Deploy again" in page
    assert "Table Users Good" in page
    assert "Search index Put this right No index was published yet. Run manage.py reindex." in page


def test_a_silent_stripe_is_told_where_staff_look_first(
    client: Client, sign_in: SignIn, stripe: FakeStripe, index: Callable[[], None]
) -> None:
    index()
    stripe.faults.api.append(ApiFault("error_before", times=9))
    sign_in(client, role="admin")

    page, line = (words_of(client.get(path).text) for path in ("/staff/doctor/", "/staff/health/"))

    assert "Stripe Put this right Stripe does not answer: nobody can pay at this moment. Nothing is lost: orders are kept" in page
    assert "Webhook" not in page
    assert line == "1 thing to look at: Stripe does not answer: nobody can pay at this moment. Set-up doctor"


def test_a_key_that_stripe_does_not_take_is_told_apart(
    client: Client, sign_in: SignIn, stripe: FakeStripe, settings: Settings
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_another"
    gateway.cache_clear()
    sign_in(client, role="admin")

    page = words_of(client.get("/staff/doctor/").text)

    assert "Stripe Put this right Stripe does not accept the key: nobody can pay. Copy the secret key" in page


def test_a_restricted_key_that_may_not_read_events_takes_payments_all_the_same(
    client: Client, sign_in: SignIn, stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise stripe_sdk.PermissionError("This restricted key may not read events.")

    monkeypatch.setattr(stripe_sdk.EventService, "list", refuse)
    sign_in(client, role="admin")

    page = words_of(client.get("/staff/doctor/").text)

    assert "Webhook Not known Stripe does not tell: This restricted key may not read events. Let the key read events." in page
    assert "nobody can pay" not in page


def test_a_test_mail_goes_to_who_asks_for_it(client: Client, sign_in: SignIn) -> None:
    sign_in(client, role="admin")

    page = client.post("/staff/doctor/mail/", follow=True).content.decode()

    assert "A mail is on its way to ada@example.com" in page
    assert [(one.to, one.subject) for one in mail.outbox] == [(["ada@example.com"], "A test mail of your shop")]


def test_a_mail_that_is_not_taken_says_why(client: Client, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: Any, **__: Any) -> None:
        raise OSError("address is not verified")

    monkeypatch.setattr("shop.lib.mails.send", send)
    sign_in(client, role="admin")
    assert "The mail was not taken: address is not verified" in client.post("/staff/doctor/mail/", follow=True).content.decode()
