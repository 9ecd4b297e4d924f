"""The way to Cognito's sign-in pages and back, for staff."""

from dataclasses import astuple
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts import linking
from accounts.cognito_sign_in import Attempt, is_same, new_attempt, proven, sign_in_url
from accounts.cookies import clear_cookie, set_cookie
from accounts.form_page import too_many
from accounts.limits import Kind, TooManyTries, count_try, give_back_try
from accounts.linking import NotLetIn
from accounts.tokens import BadToken
from accounts.views import onward, sign_in
from shop.lib.access import viewer_of
from shop.lib.clock import utc_now
from shop.lib.http import see_other
from shop.lib.source import source_of

ATTEMPT_COOKIE = f"{settings.COOKIE_PREFIX}cognito"
_SALT = "shop.cognito"
ATTEMPT_LIFETIME = timedelta(minutes=15)
_AGAIN = "This sign-in was begun in another browser, or too long ago. Please begin anew."


@require_GET
def start(request: HttpRequest) -> HttpResponse:
    _require_settings()
    leads_to = onward(request)
    if viewer_of(request).is_signed_in:
        return see_other(leads_to)
    attempt = new_attempt(leads_to=leads_to)
    response = see_other(sign_in_url(attempt))
    set_cookie(response, ATTEMPT_COOKIE, signing.dumps(astuple(attempt), salt=_SALT), ATTEMPT_LIFETIME)
    return response


@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Signs in whoever comes back with the code the pool gave them. An attempt is good once."""
    _require_settings()
    attempt = _attempt_of(request)
    if attempt is None or not is_same(attempt, state=request.GET.get("state", "")):
        response = _refused(request, _AGAIN, 400)
    elif not request.GET.get("code"):
        response = _refused(request, "You did not sign in. You can try once more.", 403)
    else:
        response = _signed_in(request, attempt)
    clear_cookie(response, ATTEMPT_COOKIE)
    return response


def _signed_in(request: HttpRequest, attempt: Attempt) -> HttpResponse:
    source, now = source_of(request), utc_now()
    try:
        count_try(Kind.LOGIN_SOURCE, source, now=now)
        user = linking.account_of(person=proven(attempt, code=request.GET["code"]), now=now)
    except TooManyTries as refusal:
        return _refused(request, too_many(refusal), 429)
    except BadToken:
        return _refused(request, _AGAIN, 400)
    except NotLetIn as refusal:
        return _refused(request, str(refusal), 403)
    give_back_try(Kind.LOGIN_SOURCE, source, now=now)
    return sign_in(request, user, attempt.leads_to, is_long=False, is_provided=True)


def _attempt_of(request: HttpRequest) -> Attempt | None:
    try:
        return Attempt(*signing.loads(request.COOKIES.get(ATTEMPT_COOKIE, ""), salt=_SALT, max_age=ATTEMPT_LIFETIME))
    except (signing.BadSignature, ValueError, TypeError):
        return None


def _refused(request: HttpRequest, why: str, status: int) -> HttpResponse:
    return render(request, "accounts/cognito_refused.html", {"why": why, "again": reverse("accounts:cognito")}, status=status)


def _require_settings() -> None:
    if not settings.COGNITO_SIGNS_IN:
        raise Http404
