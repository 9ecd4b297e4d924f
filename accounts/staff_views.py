"""Staff pages about customers."""

from functools import wraps
from typing import Any, ParamSpec

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import queries, staffing
from accounts.domain import Role, User, UserStatus
from accounts.form_page import too_many
from accounts.limits import TooManyTries
from accounts.staff_forms import PersonNoteForm
from shop.lib.access import Permission, View, confirmed_viewer_of, require_staff
from shop.lib.clock import utc_now
from shop.lib.cursors import page_urls
from shop.lib.http import see_other
from shop.lib.words import findable_words

P = ParamSpec("P")

_LONGEST = 254
"""Characters of what is looked for: an address has no more."""
NOT_ALLOWED = "Nothing was changed: you may not do this for this person, or somebody else has just changed them."


def person_or_404(view: View[P]) -> View[P]:
    """For views about one person: whoever is gone, or goes while the page is made, is not found."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except queries.UserNotFound:
            raise Http404("no such person, or no more") from None

    return guarded


@require_safe
@require_staff(Permission.CUSTOMERS_VIEW)
def customers(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "").strip()[:_LONGEST]
    context: dict[str, Any] = {"words": words}
    if words:
        context["found"] = _found(words)
    else:
        page = queries.people(role=Role.CUSTOMER, cursor=request.GET.get("cursor", ""))
        context |= {"found": page.items, **page_urls(page, reverse("accounts_staff:customers"))}
    return render(request, "staff/accounts/customers.html", context)


@require_POST
@require_staff(Permission.CUSTOMERS_VIEW)
@person_or_404
def note(request: HttpRequest, user_id: str) -> HttpResponse:
    form = PersonNoteForm(request.POST)
    if not form.is_valid():
        messages.warning(request, " ".join(map(str, form.errors["text"])))
    else:
        staffing.add_note(editor=confirmed_viewer_of(request), user_id=user_id, text=form.cleaned_data["text"], now=utc_now())
        messages.success(request, "Noted, for staff alone.")
    return see_other(reverse("orders_staff:customer", args=[user_id]))


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.CUSTOMERS_EDIT)
@person_or_404
def status(request: HttpRequest, user_id: str) -> HttpResponse:
    """Ask whether somebody shall be shut out, or let in again, and do it."""
    return change_status(request, queries.user(user_id=user_id), back=reverse("orders_staff:customer", args=[user_id]))


@require_POST
@require_staff(Permission.CUSTOMERS_EDIT)
@person_or_404
def sign_out(request: HttpRequest, user_id: str) -> HttpResponse:
    user = queries.user(user_id=user_id)
    try:
        count = staffing.end_sessions(editor=confirmed_viewer_of(request), user_id=user_id, now=utc_now())
    except staffing.NotAllowed:
        messages.error(request, NOT_ALLOWED)
    else:
        messages.success(request, f"{user.name} is signed out of {count} browser{'' if count == 1 else 's'}.")
    return see_other(reverse("orders_staff:customer", args=[user_id]))


@require_POST
@require_staff(Permission.CUSTOMERS_EDIT)
@person_or_404
def reset(request: HttpRequest, user_id: str) -> HttpResponse:
    user = queries.user(user_id=user_id)
    try:
        staffing.send_reset(editor=confirmed_viewer_of(request), user_id=user_id, now=utc_now())
    except staffing.NotAllowed:
        messages.error(request, NOT_ALLOWED)
    except TooManyTries as refusal:
        messages.warning(request, too_many(refusal))
    else:
        messages.success(request, f"A link for a new password is on its way to {user.email}. It works for ten minutes.")
    return see_other(reverse("orders_staff:customer", args=[user_id]))


@require_POST
@require_staff(Permission.CUSTOMERS_EDIT)
@person_or_404
def second_factor(request: HttpRequest, user_id: str) -> HttpResponse:
    return reset_second_factor(request, queries.user(user_id=user_id), back=reverse("orders_staff:customer", args=[user_id]))


def reset_second_factor(request: HttpRequest, user: User, *, back: str) -> HttpResponse:
    """Take somebody's authenticator away, and go back."""
    try:
        staffing.reset_second_factor(editor=confirmed_viewer_of(request), user_id=user.user_id, now=utc_now())
    except staffing.NotAllowed:
        messages.error(request, NOT_ALLOWED)
    else:
        messages.success(request, f"{user.name} signs in with the password alone now. A mail tells them so.")
    return see_other(back)


def change_status(request: HttpRequest, user: User, *, back: str) -> HttpResponse:
    """The question whether somebody shall be shut out or let in, and its answer."""
    wanted = UserStatus.DISABLED if user.is_active else UserStatus.ACTIVE
    if request.method != "POST":
        return render(request, "staff/accounts/status.html", {"user": user, "back": back})
    if request.POST.get("status") != wanted:
        messages.warning(request, "Somebody else has changed this meanwhile, so nothing was done. This is how it stands.")
        return see_other(back)
    try:
        staffing.change_status(editor=confirmed_viewer_of(request), user_id=user.user_id, status=wanted, now=utc_now())
    except staffing.NotAllowed:
        messages.error(request, NOT_ALLOWED)
    else:
        is_shut_out = wanted is UserStatus.DISABLED
        messages.success(request, f"{user.name} is shut out everywhere." if is_shut_out else f"{user.name} may sign in again.")
    return see_other(back)


def _found(words: str) -> tuple[User, ...]:
    """Who has this address, in any spelling, this number, or these words in their name."""
    try:
        if words.startswith("user-"):
            return (queries.user(user_id=words),)
        if "@" in words:
            return (queries.user_by_email(email=words),)
    except queries.UserNotFound:
        return ()
    return queries.people_named(findable_words(words))
