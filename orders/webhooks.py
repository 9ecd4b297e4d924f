"""The door Stripe knocks at."""

import logging

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders import services
from orders.payments import BadWebhook, PaymentsUnavailable, gateway
from shop.lib.clock import utc_now

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
    if not event.is_ours or not event.session_id:
        return HttpResponse("not for us", content_type="text/plain")
    now = utc_now()
    try:
        services.settle(session_id=event.session_id, now=now)
    except (services.UnknownOrder, PaymentsUnavailable):
        logger.warning("webhook %s cannot be acted on yet, asking for it again", event.event_id)
        return HttpResponse("come again", status=503, content_type="text/plain", headers={"Retry-After": "30"})
    services.record_event(event=event, now=now)
    return HttpResponse("thank you", content_type="text/plain")
