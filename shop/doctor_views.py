"""Staff's page of the set-up doctor."""

import logging

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from shop import doctor
from shop.lib import mails
from shop.lib.access import Permission, confirmed_viewer_of, require_staff
from shop.lib.clock import utc_now
from shop.lib.http import see_other

logger = logging.getLogger(__name__)

_BADGES = {
    doctor.State.GOOD: ("Good", "is-good"),
    doctor.State.WARN: ("Look at this", "is-warn"),
    doctor.State.BAD: ("Put this right", "is-bad"),
    doctor.State.UNKNOWN: ("Not known", ""),
}


@require_safe
@require_staff(Permission.SETTINGS_EDIT)
def examine(request: HttpRequest) -> HttpResponse:
    found = doctor.examine(host=request.get_host(), now=utc_now())
    context = {"checks": [(check, *_BADGES[check.state]) for check in found], "is_well": all(not check.fix for check in found)}
    return render(request, "staff/doctor.html", context)


@require_POST
@require_staff(Permission.SETTINGS_EDIT)
def send_mail(request: HttpRequest) -> HttpResponse:
    """A mail to who asks: the one proof that mails arrive."""
    viewer = confirmed_viewer_of(request)
    words = {
        "subject": "A test mail of your shop",
        "heading": "Mails arrive",
        "sentences": [f"Hello {viewer.name}, this mail has taken the way that mails to shoppers take."],
        "button": None,
        "why": "You asked for it at the set-up doctor.",
    }
    try:
        mails.send("accounts/emails/notice", to=viewer.email, context=words)
    except Exception as error:
        logger.warning("the test mail was not sent", exc_info=error)
        messages.error(request, f"The mail was not taken: {str(error)[:300]}")
    else:
        messages.success(request, f"A mail is on its way to {viewer.email}. Look into the spam folder as well.")
    return see_other(reverse("staff:doctor"))
