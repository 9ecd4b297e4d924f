"""What keeps an account safe, for its owner: sessions, password, e-mail address."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import email_change, queries, services, sessions
from accounts.cookies import signed_out
from accounts.devices import device_name
from accounts.domain import BadEmail, BadPassword
from accounts.form_page import NOT_YOUR_PASSWORD, Refusal, form_page, posted, too_many
from accounts.forms import ChangeEmailForm, ChangePasswordForm, SessionForm
from accounts.limits import TooManyTries
from accounts.queries import LinkDead, is_link_live
from accounts.services import EmailTaken, Link
from accounts.views import link_dead
from shop.lib.access import confirmed_viewer_of, require_login, viewer_of
from shop.lib.clock import utc_now
from shop.lib.fields import NOT_AN_EMAIL
from shop.lib.http import see_other
from shop.lib.source import source_of


@require_safe
@require_login
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/home.html")


@require_safe
@require_login
def sessions_page(request: HttpRequest) -> HttpResponse:
    viewer = confirmed_viewer_of(request)
    if not viewer.is_signed_in:
        return see_other(reverse("accounts:login"))
    found = [
        {"session": one, "device": device_name(one.user_agent), "is_this": one.session_id == viewer.session_id}
        for one in queries.sessions_of(user_id=viewer.user_id, now=utc_now())
    ]
    return render(request, "accounts/sessions.html", {"sessions": found})


@require_POST
@require_login
def end_session(request: HttpRequest) -> HttpResponse:
    form = SessionForm(request.POST)
    if form.is_valid():
        sessions.end_session(user_id=viewer_of(request).user_id, session_id=form.cleaned_data["session_id"])
        messages.success(request, "That browser is signed out.")
    return see_other(reverse("accounts:sessions"))


@require_POST
@require_login
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    viewer = confirmed_viewer_of(request)
    if viewer.is_signed_in and sessions.end_other_sessions(viewer=viewer, now=utc_now()):
        messages.success(request, "You are signed out everywhere but here.")
    return see_other(reverse("accounts:sessions"))


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "new_password")
@require_login
def change_password(request: HttpRequest) -> HttpResponse:
    form = ChangePasswordForm(posted(request))

    def act() -> HttpResponse:
        services.change_password(viewer=viewer_of(request), now=utc_now(), **form.cleaned_data)
        messages.success(request, "Your password is changed, and every other browser is signed out.")
        return see_other(reverse("accounts:home"))

    refusals = NOT_YOUR_PASSWORD | {BadPassword: Refusal("new_password")}
    return form_page(request, form, act, template="accounts/change_password.html", refusals=refusals)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@require_login
def change_email(request: HttpRequest) -> HttpResponse:
    form = ChangeEmailForm(posted(request))

    def act() -> HttpResponse:
        email_change.request_email_change(
            viewer=viewer_of(request),
            password=form.cleaned_data["password"],
            new_email=form.cleaned_data["email"],
            now=utc_now(),
        )
        messages.success(request, "We wrote to both addresses. When you have followed both links, your address changes.")
        return see_other(reverse("accounts:home"))

    refusals = NOT_YOUR_PASSWORD | {
        BadEmail: Refusal("email", NOT_AN_EMAIL),
        email_change.SameEmail: Refusal("email", "This is the address of your account already."),
    }
    return form_page(request, form, act, template="accounts/change_email.html", refusals=refusals)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_old_email(request: HttpRequest, secret: str) -> HttpResponse:
    return _confirm_email(request, secret, Link.OLD_EMAIL)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_new_email(request: HttpRequest, secret: str) -> HttpResponse:
    return _confirm_email(request, secret, Link.NEW_EMAIL)


def _confirm_email(request: HttpRequest, secret: str, link: Link) -> HttpResponse:
    """Where the links of an e-mail change lead. Looking changes nothing: mail programs follow links by themselves."""
    again = reverse("accounts:change_email")
    if request.method != "POST":
        is_live = is_link_live(secret=secret, kind=link, now=utc_now())
        page = {"is_old": link is Link.OLD_EMAIL}
        return render(request, "accounts/confirm_email.html", page) if is_live else link_dead(request, again=again)
    try:
        is_done = email_change.confirm_email_change(secret=secret, link=link, source=source_of(request), now=utc_now())
    except LinkDead:
        return link_dead(request, again=again)
    except EmailTaken:
        messages.error(request, "Another account has taken that address meanwhile, so yours was not changed.")
        return see_other(again)
    except TooManyTries as refusal:
        return render(
            request, "accounts/confirm_email.html", {"is_old": link is Link.OLD_EMAIL, "problem": too_many(refusal)}, status=429
        )
    if not is_done:
        return render(request, "accounts/confirm_email.html", {"is_half_done": True, "is_old": link is Link.OLD_EMAIL})
    messages.success(request, "Your address is changed. Please sign in with the new one.")
    return signed_out(reverse("accounts:login"))
