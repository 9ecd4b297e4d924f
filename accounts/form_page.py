"""The frame of a page with one form: looked at, sent with a mistake, refused, or done."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from accounts.domain import BadPassword
from accounts.forms import add_problem
from accounts.limits import TooManyTries
from accounts.services import WrongPassword


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a service's refusal is told: at which field (None: the form's head), and in which words (none: its own)."""

    field: str | None
    words: str = ""
    status: int = 422


Refusals = dict[type[Exception], Refusal]
BAD_PASSWORD: Refusals = {BadPassword: Refusal("password")}
NOT_YOUR_PASSWORD: Refusals = {WrongPassword: Refusal("password", "This is not your password.")}


def form_page(
    request: HttpRequest,
    form: forms.Form,
    act: Callable[[], HttpResponse],
    *,
    template: str,
    refusals: Refusals | None = None,
    after_too_many: str = "",
    **context: object,
) -> HttpResponse:
    """What `act` answers to a form that was sent without a mistake; else the page with the form and what is wrong with it.

    `refusals` are the exceptions of `act` that are told at the form; TooManyTries always is, with `after_too_many` behind it.
    """
    status = 200
    if request.method == "POST":
        status = 422
        told = refusals or {}
        if form.is_valid():
            try:
                return act()
            except TooManyTries as error:
                add_problem(form, None, f"{too_many(error)} {after_too_many}".rstrip())
                status = 429
            except tuple(told) as error:
                refusal = next(told[one] for one in told if isinstance(error, one))
                add_problem(form, refusal.field, refusal.words or error)
                status = refusal.status
    return render(request, template, {"form": form, **context}, status=status)


def posted(request: HttpRequest) -> QueryDict | None:
    """What was posted, though it be nothing; None for a page that is merely looked at."""
    return request.POST if request.method == "POST" else None


def too_many(refusal: TooManyTries) -> str:
    """The refusal in words, with the time to wait."""
    return f"That was tried too often. Please wait {_time_words(refusal.wait)} and try again."


def _time_words(wait: timedelta) -> str:
    minutes = ceil(wait.total_seconds() / 60)
    if minutes <= 1:
        return "a minute"
    return f"{minutes} minutes" if minutes < 100 else f"{ceil(minutes / 60)} hours"  # noqa: PLR2004 - as people say it
