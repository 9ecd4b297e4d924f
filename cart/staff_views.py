"""Staff pages of discount codes: the list, one code with its orders, making, changing, switching and deleting."""

from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cart import discount_queries as queries
from cart import discounts as services
from cart.discount_domain import Discount, DiscountState
from cart.staff_forms import STATE_WORDS, DiscountForm, ListForm
from cart.wording import TERMS, term_words
from shop.lib.access import Permission, confirmed_viewer_of, require_staff
from shop.lib.addresses import with_query
from shop.lib.clock import utc_now
from shop.lib.cursors import page_urls
from shop.lib.http import see_other

_BADGES = {DiscountState.ACTIVE: "is-good", DiscountState.SCHEDULED: "is-warn", DiscountState.USED_UP: "is-warn"}
_MOVED = "Somebody else changed this code meanwhile, so nothing was done. Here is how it stands now."


@require_safe
@require_staff(Permission.DISCOUNTS_EDIT)
def discounts(request: HttpRequest) -> HttpResponse:
    """Codes by name. So many are looked through a page, and those in the state asked for are shown."""
    form, now = ListForm(request.GET), utc_now()
    state = form.state_chosen
    page = queries.listed_discounts(prefix=form.begins, cursor=request.GET.get("cursor", ""))
    rows = [_row(one, now) for one in page.items if state is None or one.state(now) is state]
    context = {
        "rows": rows,
        "looked_through": len(page.items),
        "prefix": form.begins,
        "state": state or "",
        "tabs": [
            (label, with_query(reverse("cart_staff:discounts"), _asked(form, one)), one is state)
            for one, label in ((None, "All"), *((s, w) for s, w in STATE_WORDS.items()))
        ],
        **page_urls(page, reverse("cart_staff:discounts"), _asked(form, state)),
    }
    return render(request, "staff/cart/discounts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.DISCOUNTS_EDIT)
def new_discount(request: HttpRequest) -> HttpResponse:
    form = DiscountForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            made = services.create_discount(discount=form.written, actor=confirmed_viewer_of(request), now=utc_now())
        except services.DiscountExists:
            form.add_error("code", "There is a code of this name already: change that one, or take another name.")
        else:
            messages.success(request, f"{made.code} is made: {made.label}.")
            return see_other(_page_of(made.code))
    context = {"form": form, "now": utc_now()}
    return render(request, "staff/cart/discount_new.html", context, status=_status(form))


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.DISCOUNTS_EDIT)
def discount(request: HttpRequest, code: str) -> HttpResponse:
    """A code's page: its terms to change, the orders that have it, what staff did to it."""
    found = _found_or_404(code)
    form, theirs = DiscountForm(request.POST if request.method == "POST" else None, discount=found), None
    if form.is_bound and form.is_valid():
        changed = replace(form.written, version=_version(request))
        try:
            services.update_discount(discount=changed, actor=confirmed_viewer_of(request), now=utc_now())
        except services.DiscountMoved:
            found = _found_or_404(code)
            theirs = _differences(changed, found)
        except queries.NoSuchDiscount:
            raise Http404("no such code") from None
        else:
            messages.success(request, f"{code} is saved. Carts that have it are counted anew.")
            return see_other(_page_of(code))
    viewer, now = confirmed_viewer_of(request), utc_now()
    uses = queries.uses_of(code=code, cursor=request.GET.get("cursor", ""))
    context = {
        **_row(found, now),
        "form": form,
        "theirs": theirs,
        # Who is shown what somebody else wrote may write over it; who has but a mistake to put right has not seen it.
        "version": _version(request) if form.is_bound and theirs is None else found.version,
        "now": now,
        "uses": uses.items,
        "may_see_orders": viewer.may(Permission.ORDERS_VIEW),
        **page_urls(uses, _page_of(code)),
        "entries": queries.entries_about(code=code).items if viewer.may(Permission.AUDIT_VIEW) else None,
    }
    status = HTTPStatus.CONFLICT if theirs is not None else _status(form)
    return render(request, "staff/cart/discount.html", context, status=status)


@require_POST
@require_staff(Permission.DISCOUNTS_EDIT)
def switch(request: HttpRequest, code: str) -> HttpResponse:
    is_active = request.POST.get("to") == "on"
    actor, now = confirmed_viewer_of(request), utc_now()
    try:
        services.switch_discount(code=code, version=_version(request), is_active=is_active, actor=actor, now=now)
    except queries.NoSuchDiscount:
        raise Http404("no such code") from None
    except services.DiscountMoved:
        messages.warning(request, _MOVED)
    else:
        words = "holds again, as its terms say" if is_active else "is switched off: no further order gets it"
        messages.success(request, f"{code} {words}.")
    return see_other(_page_of(code))


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.DISCOUNTS_EDIT)
def delete(request: HttpRequest, code: str) -> HttpResponse:
    """Ask whether a code shall be forgotten, and forget it if no order ever had it."""
    found = _found_or_404(code)
    if request.method != "POST":
        return render(request, "staff/cart/discount_delete.html", _row(found, utc_now()))
    try:
        services.remove_discount(code=code, version=_version(request), actor=confirmed_viewer_of(request), now=utc_now())
    except services.DiscountUsed:
        messages.warning(request, f"An order has had {code}, so it stays. Switch it off instead.")
    except services.DiscountMoved:
        messages.warning(request, _MOVED)
    except queries.NoSuchDiscount:
        messages.warning(request, f"Somebody else was quicker: {code} is deleted already.")
        return see_other(reverse("cart_staff:discounts"))
    else:
        messages.success(request, f"{code} is deleted. No order had it.")
        return see_other(reverse("cart_staff:discounts"))
    return see_other(_page_of(code))


def _found_or_404(code: str) -> Discount:
    try:
        return queries.discount(code=code)
    except queries.NoSuchDiscount:
        raise Http404("no such code") from None


def _row(found: Discount, now: datetime) -> dict[str, Any]:
    state = found.state(now)
    return {
        "discount": found,
        "url": _page_of(found.code),
        "state_words": STATE_WORDS[state],
        "badge": _BADGES.get(state, ""),
    }


def _differences(mine: Discount, theirs: Discount) -> list[tuple[str, str, str]]:
    """What somebody else wrote where we wrote something else: the term, theirs, ours."""
    return [
        (label, term_words(getattr(theirs, name)) or "none", term_words(getattr(mine, name)) or "none")
        for name, label in TERMS.items()
        if getattr(theirs, name) != getattr(mine, name)
    ]


def _version(request: HttpRequest) -> int:
    """The version a form was based on; one there never is for nonsense, so that it is refused as old."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0  # noqa: PLR2004 - more digits than edits


def _status(form: DiscountForm) -> HTTPStatus:
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK


def _page_of(code: str) -> str:
    return reverse("cart_staff:discount", args=[code])


def _asked(form: ListForm, state: DiscountState | None) -> dict[str, str]:
    return {"q": form.begins, "state": state or ""}
