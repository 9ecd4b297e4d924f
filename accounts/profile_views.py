"""Somebody's name and address book, for themselves."""

from contextlib import suppress

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import address_book, queries, sessions
from accounts.address_book import AddressChanged, AddressNotFound
from accounts.book_domain import MOST_ADDRESSES, BookFull
from accounts.cookies import set_tokens
from accounts.form_page import posted
from accounts.forms import add_problem
from accounts.profile_forms import ProfileForm, SavedAddressForm, fields_of
from accounts.queries import SessionEnded
from shop.lib.access import require_login, viewer_of
from shop.lib.clock import utc_now
from shop.lib.http import see_other

_CHANGED = (
    "This address was changed meanwhile, in another tab or on another device. This is how it stands now: "
    "please make your change once more."
)


@require_http_methods(["GET", "HEAD", "POST"])
@require_login
def profile(request: HttpRequest) -> HttpResponse:
    user = queries.user(user_id=viewer_of(request).user_id)
    known = {"first_name": user.first_name, "last_name": user.last_name, "phone": user.phone}
    form = ProfileForm(posted(request), initial=known)
    if request.method == "POST" and form.is_valid():
        address_book.change_name(user_id=user.user_id, **form.cleaned_data)
        messages.success(request, "Your profile is changed.")
        return _with_new_name(request, see_other(reverse("accounts:profile")))
    return render(request, "accounts/profile.html", {"form": form, "user": user}, status=422 if form.errors else 200)


@require_safe
@require_login
def addresses(request: HttpRequest) -> HttpResponse:
    book = queries.user(user_id=viewer_of(request).user_id).addresses
    return render(
        request, "accounts/addresses.html", {"book": book, "most": MOST_ADDRESSES, "is_full": len(book) >= MOST_ADDRESSES}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@require_login
def add_address(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    form = SavedAddressForm(posted(request), initial={"name": viewer.name})
    if request.method == "POST" and form.is_valid():
        try:
            address_book.add_address(user_id=viewer.user_id, entry=form.entry(), now=utc_now())
        except BookFull:
            add_problem(form, None, f"Your address book is full: it holds {MOST_ADDRESSES}. Please remove one first.")
        else:
            messages.success(request, "The address is in your book.")
            return see_other(reverse("accounts:addresses"))
    return _address_page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@require_login
def change_address(request: HttpRequest, address_id: str) -> HttpResponse:
    user_id = viewer_of(request).user_id
    try:
        form = SavedAddressForm(posted(request))
        if request.method != "POST":
            kept = address_book.address_of(user_id=user_id, address_id=address_id)
            form = SavedAddressForm(initial=fields_of(kept))
        elif form.is_valid():
            address_book.change_address(user_id=user_id, entry=form.entry(address_id), seen=form.cleaned_data["seen"])
            messages.success(request, "The address is changed.")
            return see_other(reverse("accounts:addresses"))
        else:
            address_book.address_of(user_id=user_id, address_id=address_id)
    except AddressChanged as change:
        form = SavedAddressForm(initial=fields_of(change.entry))
        return _address_page(request, form, address_id=address_id, problem=_CHANGED)
    except AddressNotFound:
        raise Http404("no such address in this book") from None
    return _address_page(request, form, address_id=address_id)


@require_POST
@require_login
def remove_address(request: HttpRequest, address_id: str) -> HttpResponse:
    address_book.remove_address(user_id=viewer_of(request).user_id, address_id=address_id)
    messages.success(request, "The address is not in your book any more. Orders that went there keep it.")
    return see_other(reverse("accounts:addresses"))


@require_POST
@require_login
def make_default(request: HttpRequest, address_id: str) -> HttpResponse:
    try:
        address_book.make_default(user_id=viewer_of(request).user_id, address_id=address_id)
    except AddressNotFound:
        raise Http404("no such address in this book") from None
    messages.success(request, "This address is offered first from now on.")
    return see_other(reverse("accounts:addresses"))


def _address_page(request: HttpRequest, form: SavedAddressForm, *, address_id: str = "", problem: str = "") -> HttpResponse:
    context = {"form": form, "address_id": address_id, "problem": problem}
    status = 409 if problem else (422 if form.errors else 200)
    return render(request, "accounts/address.html", context, status=status)


def _with_new_name(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The access token carries the name: without a new one, pages would greet by the old name for some minutes."""
    with suppress(SessionEnded):  # the next page that asks will say so
        set_tokens(response, sessions.tokens_anew(viewer=viewer_of(request), now=utc_now()))
    return response
