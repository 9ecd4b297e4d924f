"""Registering, signing in and out, and setting a forgotten password."""

from datetime import timedelta
from math import ceil
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services, sessions
from accounts.cognito_sign_in import sign_out_url
from accounts.cookies import Pending, clear_tokens, device_of, remember_device, set_pending, set_tokens
from accounts.domain import BadEmail, BadPassword, User
from accounts.forms import EmailForm, LoginForm, NewPasswordForm, PasswordForm, RegisterForm, add_problem
from accounts.limits import TooManyTries
from accounts.queries import LinkDead
from accounts.services import EmailTaken, WrongPassword
from accounts.sessions import WrongCredentials
from shop.lib.access import viewer_of
from shop.lib.clock import utc_now
from shop.lib.http import local_path, see_other
from shop.lib.source import source_of

_BAD_ADDRESS = "This does not look like an e-mail address. It needs an @ and a domain, such as ada@example.com."
_WRONG = "This address and this password do not belong together. Please check both."


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def login(request: HttpRequest) -> HttpResponse:
    leads_to = onward(request)
    if request.method != "POST" and viewer_of(request).is_signed_in:
        return see_other(leads_to)
    form = LoginForm(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _signed_in(request, form.cleaned_data, leads_to)
            except WrongCredentials:
                add_problem(form, None, _WRONG)
            except TooManyTries as refusal:
                add_problem(form, None, f"{too_many(refusal)} Your password still works then; or set a new one right away.")
                status = 429
    shown = {"form": form, "next": leads_to, "has_cognito": settings.COGNITO_SIGNS_IN}
    return render(request, "accounts/login.html", shown, status=status)


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    # Who signed in at Cognito's pages is signed out there, too: the next one at this computer is asked again.
    is_elsewhere = settings.COGNITO_SIGNS_IN and viewer.is_signed_in and sessions.is_provided(viewer=viewer, now=utc_now())
    if viewer.is_signed_in:
        sessions.end_session(user_id=viewer.user_id, session_id=viewer.session_id)
    messages.success(request, "You are signed out. See you soon.")
    response = see_other(sign_out_url() if is_elsewhere else reverse("accounts:login"))
    clear_tokens(response)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def register(request: HttpRequest) -> HttpResponse:
    form = RegisterForm(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                services.register(**form.cleaned_data, source=source_of(request), now=utc_now())
            except BadEmail:
                add_problem(form, "email", _BAD_ADDRESS)
            except BadPassword as refusal:
                add_problem(form, "password", refusal)
            except TooManyTries as refusal:
                add_problem(form, None, too_many(refusal))
                status = 429
            else:
                return see_other(reverse("accounts:registered"))
    return render(request, "accounts/register.html", {"form": form, "next": onward(request)}, status=status)


@require_safe
def registered(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/look_in_mailbox.html", {"is_registration": True})


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def verify(request: HttpRequest, secret: str) -> HttpResponse:
    """Where the mail's link leads. Looking changes nothing: mail programs follow links by themselves."""
    form = PasswordForm(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                user = services.open_account(
                    secret=secret, password=form.cleaned_data["password"], source=source_of(request), now=utc_now()
                )
            except WrongPassword:
                add_problem(form, "password", "This is not the password you chose when you registered.")
            except TooManyTries as refusal:
                add_problem(form, None, too_many(refusal))
                status = 429
            except EmailTaken:
                messages.info(request, "You have an account already. Please sign in.")
                return see_other(reverse("accounts:login"))
            except LinkDead:
                return link_dead(request, again=reverse("accounts:register"))
            else:
                messages.success(request, f"Welcome, {user.first_name}. Your account is open and you are signed in.")
                onward = local_path(request.GET.get("next", ""), default=reverse("catalog:home"))
                return sign_in(request, user, onward, is_long=False)
    return render(request, "accounts/verify.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def password_reset(request: HttpRequest) -> HttpResponse:
    form = EmailForm(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                services.request_password_reset(**form.cleaned_data, source=source_of(request), now=utc_now())
            except BadEmail:
                add_problem(form, "email", _BAD_ADDRESS)
            except TooManyTries as refusal:
                add_problem(form, None, too_many(refusal))
                status = 429
            else:
                return see_other(reverse("accounts:password_reset_sent"))
    return render(request, "accounts/password_reset.html", {"form": form}, status=status)


@require_safe
def password_reset_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/look_in_mailbox.html", {"is_registration": False})


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def reset(request: HttpRequest, secret: str) -> HttpResponse:
    form = NewPasswordForm(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                services.reset_password(
                    secret=secret, password=form.cleaned_data["password"], source=source_of(request), now=utc_now()
                )
            except BadPassword as refusal:
                add_problem(form, "password", refusal)
            except TooManyTries as refusal:
                add_problem(form, None, too_many(refusal))
                status = 429
            except LinkDead:
                return link_dead(request, again=reverse("accounts:password_reset"))
            else:
                messages.success(request, "Your new password is set. Please sign in with it.")
                response = see_other(reverse("accounts:login"))
                clear_tokens(response)
                return response
    return render(request, "accounts/reset.html", {"form": form}, status=status)


def posted(request: HttpRequest) -> QueryDict | None:
    """What was posted, though it be nothing; None for a page that is merely looked at."""
    return request.POST if request.method == "POST" else None


def too_many(refusal: TooManyTries) -> str:
    """The refusal in words, with the time to wait."""
    return f"That was tried too often. Please wait {_time_words(refusal.wait)} and try again."


def onward(request: HttpRequest) -> str:
    """Where to go after signing in: a page of this site, by form or address."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    return local_path(asked, default=reverse("accounts:home"))


def link_dead(request: HttpRequest, *, again: str) -> HttpResponse:
    """The page for a link that was used or is too old."""
    return render(request, "accounts/link_dead.html", {"again": again}, status=410)


def sign_in(
    request: HttpRequest, user: User, leads_to: str, *, is_long: bool, factor: str = "", is_provided: bool = False
) -> HttpResponse:
    """Start a session in this browser and send it on."""
    signed_in = sessions.start_session(
        user=user,
        is_long=is_long,
        factor=factor,
        is_provided=is_provided,
        device=device_of(request, email=user.email),
        now=utc_now(),
    )
    response = see_other(leads_to)
    set_tokens(response, signed_in)
    remember_device(request, response, email=user.email)
    return response


def _signed_in(request: HttpRequest, posted: dict[str, object], leads_to: str) -> HttpResponse:
    """Sign in whoever the form names, or ask for the second proof first. Raises WrongCredentials, TooManyTries."""
    email, password, stay = str(posted["email"]), str(posted["password"]), bool(posted["stay"])
    user = sessions.authenticate(email=email, password=password, device=device_of(request, email=email), now=utc_now())
    if user.has_second_factor:
        response = see_other(f"{reverse('accounts:second_factor')}?{urlencode({'next': leads_to})}")
        clear_tokens(response)
        set_pending(response, Pending(user.user_id, user.credentials, is_long=stay))
        return response
    return sign_in(request, user, leads_to, is_long=stay)


def _time_words(wait: timedelta) -> str:
    minutes = ceil(wait.total_seconds() / 60)
    if minutes <= 1:
        return "a minute"
    return f"{minutes} minutes" if minutes < 100 else f"{ceil(minutes / 60)} hours"  # noqa: PLR2004 - as people say it
