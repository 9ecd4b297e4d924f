"""Somebody the shop depends on takes calls and never answers, one at a time: an honest page in time, and no damage."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from unittest.mock import patch

import boto3
from django.conf import settings
from django.core import mail
from django.http import HttpResponse
from django.test import Client, override_settings

from catalog import services as catalog_services
from catalog.search.choice import forget_engines
from catalog.shared import forget_pages
from orders import ledger_queries as books
from orders import payments, reactions, services
from orders.domain import OrderStatus
from shop.lib import caches
from shop.lib.guests import GUEST_COOKIE, remember_guest
from shop.lib.owner import Owner
from shop.local import ports
from shop.local.fake_stripe import ApiFault
from shop.local.prove.verdicts import Verdict
from shop.local.prove.world import World, patient_tables

_HONEST_SECONDS = 10.0
_TOO_PATIENT_SECONDS = 12.0
"""A control's time limit on a call: longer than an honest page may take."""
_PIECES = 5
_OK, _SEE_OTHER, _AWAY = HTTPStatus.OK, HTTPStatus.SEE_OTHER, HTTPStatus.SERVICE_UNAVAILABLE


@dataclass(frozen=True)
class Told:
    """What somebody was answered, and after how long."""

    status: int
    seconds: float
    text: str = ""

    def __str__(self) -> str:
        return f"{self.status} after {self.seconds:.1f} s"


def prove(world: World, *, rounds: int) -> Iterator[Verdict]:
    """Tables, Stripe, cache, mail and files, each with a control that has no limit, or no patience, of its own."""
    yield _silent_tables(world)
    with patient_tables(_TOO_PATIENT_SECONDS):
        yield _silent_tables(world, is_control=True)
    yield _silent_stripe(world)
    with _patient_stripe():
        yield _silent_stripe(world, is_control=True)
    yield _silent_cache(world)
    yield _silent_cache(world, backend="django.core.cache.backends.redis.RedisCache", is_control=True)
    yield _silent_mail(world)
    with patch.object(reactions, "_trouble_of", _passed_over):
        yield _silent_mail(world, is_control=True)
    yield _silent_files(world)
    with patch("catalog.search.signed._READ_SECONDS", _TOO_PATIENT_SECONDS):
        yield _silent_files(world, is_control=True)


def _silent_tables(world: World, *, is_control: bool = False) -> Verdict:
    product = world.product(inventory=_PIECES)
    buyer = world.buyer({product.product_id: 1})
    browser = _browser(buyer["owner"])
    with world.weather(silent={"dynamodb"}):
        told = [_timed(lambda: browser.get("/cart/"))]
        if not is_control:
            told += [
                _timed(lambda: browser.post("/cart/add/", {"product_id": product.product_id, "quantity": "1"})),
                _timed(lambda: browser.post("/checkout/place/", _agreed(buyer))),
            ]
    is_whole = world.stock(product.product_id) == _PIECES and not world.orders_of([buyer["owner"]])
    claim = "the same waiting 12 s for a call" if is_control else "silent tables: cart, add and place say so, nothing is written"
    return _honest(claim, told, {_AWAY}, is_whole=is_whole, is_control=is_control)


def _silent_stripe(world: World, *, is_control: bool = False) -> Verdict:
    product = world.product(inventory=_PIECES)
    order = services.place_order(**world.buyer({product.product_id: 1}))
    browser = _browser(order.owner)
    world.stripe.faults.api.append(ApiFault(kind="silence_before", times=20))
    try:
        told = [_timed(lambda: browser.post(f"/checkout/{order.order_id}/pay/", follow=True))]
    finally:
        world.stripe.faults.clear()
    (after,) = world.orders_of([order.owner])
    paid = _timed(lambda: browser.post(f"/checkout/{order.order_id}/pay/"))
    is_told = "Nothing was charged" in told[0].text
    is_whole = is_told and after.status is OrderStatus.PENDING and not after.payment.session_id and paid.status == _SEE_OTHER
    claim = "the same waiting 12 s" if is_control else "silent Stripe: the shopper is told, and pays a moment later"
    return _honest(claim, told, {_OK}, is_whole=is_whole, is_control=is_control)


def _silent_cache(world: World, *, backend: str = "shop.lib.caches.ForgivingRedisCache", is_control: bool = False) -> Verdict:
    """A Redis that takes connections and never answers: everything goes on as without one."""
    product = world.product(inventory=_PIECES)
    buyer = world.buyer({product.product_id: 1})
    browser = _browser(buyer["owner"])
    patience = {"OPTIONS": {"socket_timeout": 2.0}} if is_control else {}
    with ports.listen(0) as listener, patch.object(caches, "_rests_until", 0.0):
        redis = {"BACKEND": backend, "LOCATION": f"redis://{ports.HOST}:{listener.getsockname()[1]}/0", **patience}
        with override_settings(CACHES={"default": redis}, PRODUCT_CACHE_SECONDS=60):
            forget_pages()
            told = [
                _timed(lambda: browser.get(f"/products/{product.product_id}/{product.slug}/")),
                _timed(lambda: browser.get("/cart/")),
                _timed(lambda: browser.post("/checkout/place/", _agreed(buyer))),
            ]
    placed = world.orders_of([buyer["owner"]])
    is_whole = len(placed) == 1 and world.stock(product.product_id) == _PIECES - 1
    claim = "the same with a cache that cannot be lost" if is_control else "silent Redis: product, cart and order as without it"
    return _honest(claim, told, {_OK, _SEE_OTHER}, is_whole=is_whole, is_control=is_control)


def _silent_mail(world: World, *, is_control: bool = False) -> Verdict:
    """SES takes mails and never answers: shoppers notice nothing, the invoice is there, and the mail comes once it is well."""
    product = world.product(inventory=_PIECES)
    order = world.open_payment(services.place_order(**world.buyer({product.product_id: 1})))
    world.read_stream(lambda _event, _context: {})  # what was before
    world.stripe.pay(order.payment.session_id)
    browser = _browser(order.owner)
    changes: list[Any] = []

    def collect(event: dict[str, Any], context: object) -> Mapping[str, Any]:
        changes.extend(event["Records"])
        return {}

    with world.weather(silent={"ses"}), override_settings(EMAIL_BACKEND="anymail.backends.amazon_ses.EmailBackend"):
        told = [_timed(lambda: browser.get(f"/checkout/{order.order_id}/return/", follow=True))]
        world.read_stream(collect)
        begun = time.monotonic()
        failed = _react(changes)
        told.append(Told(_OK, time.monotonic() - begun))
    (after,) = world.orders_of([order.owner])
    has_invoice = books.invoice_of(after).order_id == order.order_id
    mail.outbox.clear()
    _react([record for record in changes if record["dynamodb"]["SequenceNumber"] in failed])
    sent = [one.subject for one in mail.outbox if order.order_id in str(one.subject)]
    is_whole = after.status is OrderStatus.PROCESSING and has_invoice and len(sent) == 1
    claim = (
        "the same without telling Lambda that a record failed"
        if is_control
        else "silent SES: the order is paid and invoiced, its mail comes later, once"
    )
    return _honest(claim, told, {_OK, _SEE_OTHER}, is_whole=is_whole, is_control=is_control, more=f"{len(sent)} mail")


def _silent_files(world: World, *, is_control: bool = False) -> Verdict:
    """S3 takes calls and never answers: lists come from the tables."""
    product = world.product(inventory=_PIECES)
    files = boto3.client("s3")
    if settings.MEDIA_BUCKET not in [bucket["Name"] for bucket in files.list_buckets()["Buckets"]]:
        files.create_bucket(Bucket=settings.MEDIA_BUCKET)
    catalog_services.reindex()
    forget_engines()  # a function that starts now has no index yet
    forget_pages()
    browser = Client(raise_request_exception=False)
    with world.weather(silent={"s3"}):
        told = [_timed(lambda: browser.get("/products/")) for _ in range(1 if is_control else 2)]
    forget_engines()
    is_whole = product.product_id in told[0].text
    claim = (
        "the same waiting 12 s for a file" if is_control else "silent S3: a list comes from the tables, its newest product in it"
    )
    return _honest(claim, told, {_OK}, is_whole=is_whole, is_control=is_control)


def _react(changes: list[Any]) -> set[str]:
    """Let the stream function work; which records it wants to have again."""
    from shop.entrypoints import stream  # needs Django set up

    answer = stream.handler({"Records": changes}, object())
    return {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}


def _passed_over(effect: Callable[[], object]) -> None:
    try:
        effect()
    except Exception:
        return


@contextmanager
def _patient_stripe() -> Iterator[None]:
    with patch.object(payments, "READ_TIMEOUT_SECONDS", _TOO_PATIENT_SECONDS):
        payments.gateway.cache_clear()
        yield
    payments.gateway.cache_clear()


def _agreed(buyer: dict[str, Any]) -> dict[str, str]:
    """What the review page's button sends."""
    return {"cart_id": buyer["cart_id"], "total_seen": str(buyer["total_seen"]), "seen": buyer["seen"]}


def _browser(owner: Owner) -> Client:
    response = HttpResponse()
    remember_guest(response, owner)
    client = Client(raise_request_exception=False)
    client.cookies[GUEST_COOKIE] = response.cookies[GUEST_COOKIE].value
    return client


def _timed(ask: Callable[[], Any]) -> Told:
    begun = time.monotonic()
    answer = ask()
    return Told(answer.status_code, time.monotonic() - begun, answer.content.decode())


def _honest(
    claim: str, told: Sequence[Told], statuses: set[HTTPStatus], *, is_whole: bool, is_control: bool = False, more: str = ""
) -> Verdict:
    holds = is_whole and all(one.status in statuses and one.seconds <= _HONEST_SECONDS for one in told)
    seen = ", ".join([*map(str, told), *([more] if more else [])])
    return Verdict(claim, seen + ("" if is_whole else ", AND SOMETHING IS WRONG"), holds, is_control)
