"""Registering, signing in and out, and setting a forgotten password."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services, sessions
from accounts.cognito_sign_in import sign_out_url
from accounts.cookies import Pending, clear_tokens, device_of, remember_device, set_pending, set_tokens, signed_out
from accounts.domain import BadEmail, Role, User
from accounts.form_page import BAD_PASSWORD, Refusal, Refusals, form_page, posted
from accounts.forms import EmailForm, LoginForm, NewPasswordForm, PasswordForm, RegisterForm
from accounts.queries import LinkDead, is_link_live
from accounts.services import EmailTaken, WrongPassword
from accounts.sessions import WrongCredentials
from shop.lib.access import viewer_of
from shop.lib.clock import utc_now
from shop.lib.fields import NOT_AN_EMAIL
from shop.lib.http import local_path, see_other
from shop.lib.source import source_of

_BAD_EMAIL: Refusals = {BadEmail: Refusal("email", NOT_AN_EMAIL)}
_WRONG = "This address and this password do not belong together. Please check both."


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def login(request: HttpRequest) -> HttpResponse:
    leads_to = onward(request)
    if request.method != "POST" and viewer_of(request).is_signed_in:
        return see_other(leads_to)
    form = LoginForm(posted(request))
    return form_page(
        request,
        form,
        lambda: _signed_in(request, form.cleaned_data, leads_to),
        template="accounts/login.html",
        refusals={WrongCredentials: Refusal(None, _WRONG)},
        after_too_many="Your password still works then; or set a new one right away.",
        next=leads_to,
        has_cognito=settings.COGNITO_SIGNS_IN,
    )


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    # Who signed in at Cognito's pages is signed out there, too: the next one at this computer is asked again.
    is_elsewhere = settings.COGNITO_SIGNS_IN and viewer.is_signed_in and sessions.is_provided(viewer=viewer, now=utc_now())
    if viewer.is_signed_in:
        sessions.end_session(user_id=viewer.user_id, session_id=viewer.session_id)
    messages.success(request, "You are signed out. See you soon.")
    return signed_out(sign_out_url() if is_elsewhere else reverse("accounts:login"))


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def register(request: HttpRequest) -> HttpResponse:
    form, leads_to = RegisterForm(posted(request)), onward(request)

    def act() -> HttpResponse:
        services.register(**form.cleaned_data, source=source_of(request), now=utc_now(), onward=_mailable(leads_to))
        return see_other(_leading_on(reverse("accounts:registered"), leads_to))

    return form_page(request, form, act, template="accounts/register.html", refusals=_BAD_EMAIL | BAD_PASSWORD, next=leads_to)


@require_safe
def registered(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/look_in_mailbox.html", {"is_registration": True, "next": onward(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def verify(request: HttpRequest, secret: str) -> HttpResponse:
    """Where the mail's link leads. Looking changes nothing: mail programs follow links by themselves."""
    form, leads_to = PasswordForm(posted(request)), onward(request)
    again = _leading_on(reverse("accounts:register"), leads_to)
    if request.method != "POST" and not is_link_live(secret=secret, kind=services.Link.VERIFY, now=utc_now()):
        return link_dead(request, again=again)

    def act() -> HttpResponse:
        try:
            user = services.open_account(
                secret=secret, password=form.cleaned_data["password"], source=source_of(request), now=utc_now()
            )
        except EmailTaken:
            messages.info(request, "You have an account already. Please sign in.")
            return see_other(_leading_on(reverse("accounts:login"), leads_to))
        except LinkDead:
            return link_dead(request, again=again)
        messages.success(request, f"Welcome, {user.first_name}. Your account is open and you are signed in.")
        return sign_in(request, user, leads_to, is_long=False)

    wrong = Refusal("password", "This is not the password you chose when you registered.")
    return form_page(request, form, act, template="accounts/verify.html", refusals={WrongPassword: wrong})


@require_http_methods(["GET", "HEAD", "POST"])
def password_reset(request: HttpRequest) -> HttpResponse:
    form = EmailForm(posted(request))

    def act() -> HttpResponse:
        services.request_password_reset(**form.cleaned_data, source=source_of(request), now=utc_now())
        return see_other(reverse("accounts:password_reset_sent"))

    return form_page(request, form, act, template="accounts/password_reset.html", refusals=_BAD_EMAIL)


@require_safe
def password_reset_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/look_in_mailbox.html", {"is_registration": False})


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def reset(request: HttpRequest, secret: str) -> HttpResponse:
    form, again = NewPasswordForm(posted(request)), reverse("accounts:password_reset")
    if request.method != "POST" and not is_link_live(secret=secret, kind=services.Link.RESET, now=utc_now()):
        return link_dead(request, again=again)

    def act() -> HttpResponse:
        try:
            services.reset_password(
                secret=secret, password=form.cleaned_data["password"], source=source_of(request), now=utc_now()
            )
        except LinkDead:
            return link_dead(request, again=again)
        messages.success(request, "Your new password is set. Please sign in with it.")
        return signed_out(reverse("accounts:login"))

    return form_page(
        request, form, act, template="accounts/reset.html", refusals=BAD_PASSWORD, is_invited="invited" in request.GET
    )


def onward(request: HttpRequest) -> str:
    """Where to go after signing in: a page of this site, by form or address."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    return local_path(asked, default=reverse("accounts:home"))


def _leading_on(url: str, leads_to: str) -> str:
    """The address of a page on the way, which knows where the way leads; where it leads by itself, it stays clean."""
    return url if leads_to == reverse("accounts:home") else f"{url}?{urlencode({'next': leads_to})}"


def _mailable(leads_to: str) -> str:
    """The page if its address may stand in a mail, such as the checkout; else empty.

    The mail goes to whatever address somebody typed, so nothing in it may be theirs to write: no query, no variable part.
    """
    try:
        is_fixed = not resolve(leads_to).kwargs
    except Resolver404:
        is_fixed = False
    return leads_to if is_fixed and leads_to != reverse("accounts:home") else ""


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
    if user.role is not Role.CUSTOMER and leads_to == reverse("accounts:home"):
        leads_to = reverse("staff:home")  # nothing else was asked for, and their day begins there
    if user.has_second_factor:
        response = see_other(f"{reverse('accounts:second_factor')}?{urlencode({'next': leads_to})}")
        clear_tokens(response)
        set_pending(response, Pending(user.user_id, user.credentials, is_long=stay))
        return response
    return sign_in(request, user, leads_to, is_long=stay)
