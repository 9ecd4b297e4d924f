"""The second proof: giving it when signing in, setting it up, turning it off."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import queries, second_factor, services, sessions
from accounts.cookies import PENDING_COOKIE, Pending, clear_cookie, pending_of, set_tokens
from accounts.domain import Session, User
from accounts.form_page import NOT_YOUR_PASSWORD, form_page, posted, too_many
from accounts.forms import CodeForm, PasswordForm, SetUpForm, add_problem
from accounts.limits import TooManyTries
from accounts.queries import UserNotFound
from accounts.second_factor import SetupOver, WrongCode
from accounts.services import WrongPassword
from accounts.views import onward, sign_in
from shop.lib.access import Viewer, confirmed_viewer_of
from shop.lib.clock import utc_now
from shop.lib.http import see_other

_WRONG = "This is not the code of this moment, or it was used already. Please wait for the next one, or use a recovery code."


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code", "setup", "password")
def page(request: HttpRequest) -> HttpResponse:
    """One address for all of it: whoever is sent here finds what is asked of them."""
    viewer = confirmed_viewer_of(request)
    if not viewer.is_signed_in:
        pending = pending_of(request)
        return _finish_login(request, pending) if pending else see_other(reverse("accounts:login"))
    user, session = queries.live_session(user_id=viewer.user_id, session_id=viewer.session_id, now=utc_now())
    if not user.has_second_factor:
        return _set_up(request, viewer, user, session)
    if not session.has_second_factor(user):
        return _prove(request, viewer)
    left = second_factor.recovery_codes_left(user_id=user.user_id)
    return render(request, "accounts/second_factor_on.html", {"left": left, "form": PasswordForm()})


@require_POST
@sensitive_post_parameters("password")
def turn_off(request: HttpRequest) -> HttpResponse:
    viewer = confirmed_viewer_of(request)
    if not (viewer.is_signed_in and viewer.has_second_factor):
        return see_other(reverse("accounts:second_factor"))
    form = PasswordForm(request.POST)

    def act() -> HttpResponse:
        user = queries.user(user_id=viewer.user_id)
        services.require_own_password(user=user, password=form.cleaned_data["password"], now=utc_now())
        second_factor.turn_off(user=user)
        messages.success(request, "From now on you sign in with your password alone.")
        response = see_other(reverse("accounts:home"))
        set_tokens(response, sessions.tokens_anew(viewer=viewer, now=utc_now()))
        return response

    left = second_factor.recovery_codes_left(user_id=viewer.user_id)
    return form_page(request, form, act, template="accounts/second_factor_on.html", refusals=NOT_YOUR_PASSWORD, left=left)


def _finish_login(request: HttpRequest, pending: Pending) -> HttpResponse:
    """The second half of signing in."""
    try:
        form, user, status = _code(request, pending.user_id)
    except UserNotFound:
        return _begin_anew()
    if user and (user.credentials != pending.credentials or not user.is_active):
        return _begin_anew()
    if user:
        response = sign_in(request, user, onward(request), is_long=pending.is_long, factor=user.factor)
        clear_cookie(response, PENDING_COOKIE)
        return response
    return _ask(request, form, status)


def _begin_anew() -> HttpResponse:
    """Password or account are not what they were when the code was asked for."""
    response = see_other(reverse("accounts:login"))
    clear_cookie(response, PENDING_COOKIE)
    return response


def _prove(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """For a session that began before the second proof was asked for."""
    form, user, status = _code(request, viewer.user_id)
    if user:
        response = see_other(onward(request))
        set_tokens(response, sessions.mark_second_factor(viewer=viewer, factor=user.factor, now=utc_now()))
        return response
    return _ask(request, form, status)


def _set_up(request: HttpRequest, viewer: Viewer, user: User, session: Session) -> HttpResponse:
    now = utc_now()
    form, status = (CodeForm if session.is_fresh(now) else SetUpForm)(posted(request)), 200
    setup = request.POST.get("setup", "")
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                owner, codes = second_factor.turn_on(user=user, session=session, setup=setup, now=now, **form.cleaned_data)
            except WrongPassword:
                add_problem(form, "password", "This is not your password.")
            except WrongCode:
                add_problem(form, "code", "This is not the code of this moment. Is the clock of your device right?")
            except SetupOver:
                messages.info(request, "That took a while, so here is a new code to scan.")
                return see_other(request.get_full_path())
            except TooManyTries as refusal:
                add_problem(form, None, too_many(refusal))
                status = 429
            else:
                return _show_codes(request, viewer, owner, codes)
    try:
        secret = second_factor.secret_of(setup=setup, user=user)
    except SetupOver:
        secret, setup = second_factor.new_setup(user=user)
    context = {"form": form, "setup": setup, "secret": _in_fours(secret), "qr": _qr(secret, user), "next": onward(request)}
    return render(request, "accounts/second_factor_setup.html", context, status=status)


def _show_codes(request: HttpRequest, viewer: Viewer, owner: User, codes: tuple[str, ...]) -> HttpResponse:
    """The authenticator is on: in this browser it was proven just now, every other one proves it by signing in anew."""
    signed_in = sessions.mark_second_factor(viewer=viewer, factor=owner.factor, now=utc_now())
    others = sessions.end_other_sessions(viewer=viewer, now=utc_now())
    context = {"codes": codes, "others": others, "next": onward(request)}
    response = render(request, "accounts/second_factor_codes.html", context)
    set_tokens(response, signed_in)
    return response


def _code(request: HttpRequest, user_id: str) -> tuple[CodeForm, User | None, int]:
    """The form, and whose code was given when it was right."""
    form = CodeForm(posted(request))
    if request.method != "POST":
        return form, None, 200
    if form.is_valid():
        try:
            return form, second_factor.use_code(user_id=user_id, code=form.cleaned_data["code"], now=utc_now()), 200
        except WrongCode:
            add_problem(form, "code", _WRONG)
        except TooManyTries as refusal:
            add_problem(form, None, too_many(refusal))
            return form, None, 429
    return form, None, 422


def _ask(request: HttpRequest, form: CodeForm, status: int) -> HttpResponse:
    return render(request, "accounts/second_factor.html", {"form": form, "next": onward(request)}, status=status)


def _qr(secret: str, user: User) -> str:
    import segno

    code = segno.make(second_factor.address_for_authenticator(secret=secret, user=user), error="m")
    return str(code.svg_data_uri(scale=5, border=2, dark="#1e1d1a", light="#fff"))


def _in_fours(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
