"""Staff's way with several customers: first the page that says who is meant, then, posted with what it showed, the change."""

from collections.abc import Sequence
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.domain import User
from orders import sweeping
from orders.staff_forms import SeveralForm
from orders.sweeping import Act, Swept
from shop.lib.access import Permission, confirmed_viewer_of, require_staff
from shop.lib.clock import utc_now
from shop.lib.http import local_path, see_other

_NAMED = 5
"""People named in a message. It travels in a cookie, which has room for so many and no more."""
_LONGEST_NAME = 40
_VERBS = {Act.SHUT_OUT: "Shut out", Act.LET_IN: "Let in again", Act.ERASE: "Erase"}
_DONE = {Act.SHUT_OUT: "shut out", Act.LET_IN: "let in again", Act.ERASE: "erased"}


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.CUSTOMERS_EDIT)
def change(request: HttpRequest) -> HttpResponse:
    """Shut several customers out, or let them in again."""
    form = _form(request)
    act = form.cleaned_data.get("act") if form.is_valid() else ""
    return _ask_or_do(request, form, Act(act)) if act else _back(request, form, "Choose what to do with those ticked.")


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.CUSTOMERS_DATA)
def erase(request: HttpRequest) -> HttpResponse:
    """Erase several accounts that are shut out and never ordered; asked for with their number."""
    return _ask_or_do(request, _form(request), Act.ERASE)


def _ask_or_do(request: HttpRequest, form: SeveralForm, act: Act) -> HttpResponse:
    chosen, editor = form.chosen, confirmed_viewer_of(request)
    if not chosen:
        return _back(request, form, "Tick the customers first, then choose what to do with them.")
    is_post = request.method == "POST"
    if is_post and act is Act.ERASE and not _is_counted(form):
        form.add_error("typed", f"You were asked about {len(chosen)}. Nothing was done.")
    if is_post and form.is_valid():
        _tell(request, act, sweeping.sweep(act=act, editor=editor, user_ids=chosen, now=utc_now()))
        return see_other(_list_url(form))
    ticked = sweeping.look(act=act, editor=editor, user_ids=chosen)
    context = {
        "form": form,
        "act": act,
        "verb": _VERBS[act],
        "meant": [one for one in ticked if not one.obstacle],
        "left": [one for one in ticked if one.obstacle],
        "action": request.path,
        "back": _list_url(form),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_post else HTTPStatus.OK
    return render(request, "staff/accounts/several.html", context, status=status)


def _form(request: HttpRequest) -> SeveralForm:
    return SeveralForm(request.POST if request.method == "POST" else request.GET)


def _is_counted(form: SeveralForm) -> bool:
    return form.is_valid() and form.cleaned_data["typed"].strip() == str(len(form.chosen))


def _list_url(form: SeveralForm) -> str:
    """The list they were ticked in, with its filter."""
    return local_path(str(form.data.get("next", "")), default=reverse("accounts_staff:customers"))


def _back(request: HttpRequest, form: SeveralForm, words: str) -> HttpResponse:
    messages.error(request, words)
    return see_other(_list_url(form))


def _tell(request: HttpRequest, act: Act, swept: Swept) -> None:
    """What became of each, in few words."""
    if swept.done:
        messages.success(request, f"{_accounts(len(swept.done))} {_DONE[act]}.")
    if swept.left:
        told = _named([f"{_name(user)} ({why})" for user, why in swept.left])
        messages.warning(request, f"{_accounts(len(swept.left))} left alone: {told}.")
    if swept.gone:
        messages.warning(request, f"{_accounts(swept.gone)} not there any more.")
    if swept.unreached:
        words = _named([_name(user) for user in swept.unreached])
        messages.warning(request, f"{_accounts(len(swept.unreached))} not reached in time, so tick them once more: {words}.")


def _accounts(count: int) -> str:
    return f"{count} account{' was' if count == 1 else 's were'}"


def _name(user: User) -> str:
    return (user.name or user.email)[:_LONGEST_NAME]


def _named(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
