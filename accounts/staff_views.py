"""Staff pages about customers."""

from collections.abc import Sequence
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
from accounts.queries import Tab
from accounts.staff_forms import CustomersForm, PersonNoteForm
from shop.lib.access import Permission, View, confirmed_viewer_of, require_staff
from shop.lib.addresses import address_of, with_query
from shop.lib.clock import utc_now
from shop.lib.cursors import Page, page_urls
from shop.lib.http import see_other
from shop.lib.viewer import Viewer
from shop.lib.words import findable_words

P = ParamSpec("P")

_TABS = {Tab.ALL: "All", Tab.UNUSED: "Never used", Tab.OUT: "Shut out"}
_FILTER = ("q", "tab", "since", "until")
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
@require_staff(Permission.CUSTOMERS_VIEW, with_filters=True)
def customers(request: HttpRequest) -> HttpResponse:
    """The list, as a tab and a filter narrow it; or who was looked for by address, number or name."""
    here, form = reverse("accounts_staff:customers"), CustomersForm(request.GET)
    asked = form.asked()
    query = {name: request.GET.get(name, "") for name in (_FILTER if asked else ("q",))}
    page = queries.customers(asked=asked) if asked else Page(_found(form.words))
    this_page = query | {"cursor": asked.cursor if asked else ""}
    context = {
        "form": form,
        "asked": asked,
        "tabs": [
            (label, _tab_url(here, query if asked else {}, tab), asked and asked.tab is tab) for tab, label in _TABS.items()
        ],
        "examined": queries.LOOKED_THROUGH if asked and asked.is_looked_through else 0,
        "rows": [_row(user) for user in page.items],
        "here": with_query(here, this_page),
        "all_ticked_url": with_query(here, this_page | {"ticked": "all"}),
        "is_ticked": "ticked" in request.GET,
        **_offered(confirmed_viewer_of(request), page.items),
        **page_urls(page, here, query),
    }
    return render(request, "staff/accounts/customers.html", context)


def _tab_url(here: str, query: dict[str, str], tab: Tab) -> str:
    return with_query(here, query | {"tab": "" if tab is Tab.ALL else tab})


def _offered(viewer: Viewer, found: Sequence[User]) -> dict[str, bool]:
    """What may be done with those who are ticked, as far as there is anybody to tick for it."""
    statuses = {one.status for one in found if one.role is Role.CUSTOMER}
    offered = {
        "may_shut_out": UserStatus.ACTIVE in statuses and viewer.may(Permission.CUSTOMERS_EDIT),
        "may_let_in": UserStatus.DISABLED in statuses and viewer.may(Permission.CUSTOMERS_EDIT),
        "may_erase": UserStatus.DISABLED in statuses and viewer.may(Permission.CUSTOMERS_DATA),
    }
    return {**offered, "may_tick": any(offered.values())}


def _row(user: User) -> dict[str, Any]:
    """Somebody as the list draws them, in words: a template's filters and addresses cost more than reading the rows."""
    since, seen, is_customer = user.created_at, user.last_login, user.role is Role.CUSTOMER
    badge, status = ("is-good", "Active") if is_customer else ("", user.role.capitalize())
    if not user.is_active:
        badge, status = "is-bad", "Shut out"
    return {
        "id": user.user_id if is_customer else "",
        "url": address_of("orders_staff:customer", user.user_id),
        "name": user.name or user.email,
        "email": user.email,
        "since": f"{since:%b} {since.day}, {since:%Y, %H:%M}",
        "since_stamp": since.isoformat(),
        "seen": f"{seen:%b} {seen.day}, {seen.year}" if seen else "",
        "seen_stamp": seen.isoformat() if seen else "",
        "badge": badge,
        "status": status,
    }


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
