"""The door Stripe knocks at."""

import logging
from contextlib import suppress
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders import services
from orders.payment_domain import Event
from orders.payments import BadWebhook, PaymentsUnavailable, gateway
from orders.queries import OrderNotFound
from shop.lib.clock import utc_now
from shop.lib.tables import Busy

logger = logging.getLogger(__name__)


@csrf_exempt  # signed by Stripe over the raw body instead
@require_POST
def stripe(request: HttpRequest) -> HttpResponse:
    """Take a webhook as a hint: look at the session itself and settle. 2xx tells Stripe that is all, 503 to come again."""
    try:
        event = gateway().read_webhook(request.body, request.headers.get("Stripe-Signature", ""))
    except BadWebhook:
        logger.warning("webhook refused: bad signature, too old or no event")
        return HttpResponse("bad webhook", status=400, content_type="text/plain")
    now = utc_now()
    try:
        is_for_us = _act_on(event, now)
    except (services.UnknownOrder, PaymentsUnavailable, Busy):
        logger.warning("webhook %s cannot be acted on yet, asking for it again", event.event_id)
        return HttpResponse("come again", status=503, content_type="text/plain", headers={"Retry-After": "30"})
    if not is_for_us:
        return HttpResponse("not for us", content_type="text/plain")
    if not event.is_failed_payment:  # counted and noted in one
        services.record_event(event=event, now=now)
    return HttpResponse("thank you", content_type="text/plain")


def _act_on(event: Event, now: datetime) -> bool:
    """Do what an event hints at; False when it is of no matter to this shop."""
    if event.is_about_refunds:
        order_id = event.order_id if event.is_ours else _order_of_unmarked(event)
        with suppress(OrderNotFound):  # the money of a payment that had no order went back
            if order_id:
                services.sync_refunds(order_id=order_id, now=now)
        return bool(order_id)
    if not event.is_ours:
        return False
    if event.is_failed_payment:
        services.note_failed_payment(event=event, now=now)
    elif event.session_id:
        services.settle(session_id=event.session_id, now=now)
    else:
        return False
    return True


def _order_of_unmarked(event: Event) -> str:
    """The order whose money was given back at Stripe's own pages, where nobody writes our mark upon a refund."""
    if not (event.is_unmarked and event.payment_intent_id):
        return ""
    made = gateway().payment(event.payment_intent_id)
    return made.order_id if made.is_ours else ""
