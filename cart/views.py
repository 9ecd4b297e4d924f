"""The cart's pages and fragments."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Self
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.limits import Kind, TooManyTries, count_try, give_back_try
from cart import queries, services
from cart.domain import MAX_LINES, MAX_QUANTITY, Item
from cart.forms import AddForm, CodeForm, ProductForm, UpdateForm
from catalog.recent import recent_ids
from catalog.searched import note_search
from shop.lib.access import owner_of, owner_or_new_guest
from shop.lib.clock import utc_now
from shop.lib.guests import remember_guest
from shop.lib.http import is_htmx
from shop.lib.owner import Owner
from shop.lib.source import source_of

_LONGEST_CODE = 40
"""So much of what was typed as a code is shown again."""
_ABOUT_CODE = "code"
"""Marks a message that the cart tells beside the field of the code."""
_REMOVED = "removed"
"""Marks a message that the cart tells with a button to put the line back: the product and its quantity follow the word."""
_TOO_MANY_CODES = "Those were many codes in a short time. Please wait a little and try again. Your cart is as it was."
_ADD_QUANTITY_PROBLEM = f"Please choose a whole number from 1 to {MAX_QUANTITY}. Your cart is as it was."
_LINE_QUANTITY_PROBLEM = (
    f"Please choose a whole number from 1 to {MAX_QUANTITY}, or 0 to take the line out. Your cart is as it was."
)


@dataclass(frozen=True, slots=True)
class Removed:
    """A line that was taken out, as the cart tells of it and offers to put it back."""

    words: str
    product_id: str
    quantity: int

    @classmethod
    def of(cls, item: Item) -> Self:
        return cls(f"{item.name} is out of your cart.", item.product_id, item.quantity)


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    cart = queries.open_cart(owner=owner_of(request), now=utc_now())
    context: dict[str, object] = {
        "cart": cart,
        "typed": request.GET.get("code", "")[:_LONGEST_CODE],
        "has_recent": cart.is_empty and bool(recent_ids(request)),
    }
    told_below = []
    for told in messages.get_messages(request):
        kind, *about = (told.extra_tags or "").split() or [""]
        if kind == _REMOVED:
            context["removed"] = Removed(str(told), about[0], int(about[1]))
        elif kind == _ABOUT_CODE and not (cart.is_empty or cart.code):
            context["code_problem"] = str(told)
        else:
            continue
        told_below.append(told.extra_tags)
    return render(request, "cart/cart.html", {**context, "told_below": told_below})


@require_safe
def badge(request: HttpRequest) -> HttpResponse:
    """The header's mark; asked from a product's page also what the cart holds of it and when it would arrive."""
    form = ProductForm(_single_values(request.GET))
    product_id = form.cleaned_data["product_id"] if form.is_valid() else ""
    now = utc_now()
    if "arrived" in request.GET:  # the page's own first request; later ones follow from what happens on it
        note_search(address=request.headers.get("HX-Current-URL", ""), list_path=reverse("catalog:list"), now=now)
    mark = queries.mark(owner=owner_of(request), now=now, product_id=product_id)
    return render(request, "cart/cart.html#badge", {"mark": mark, "count": mark.count, "product_id": product_id})


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    form = AddForm(_single_values(request.POST))
    if not form.is_valid():
        return _add_answer(request, problem=_add_problem(form))
    now = utc_now()
    owner = owner_or_new_guest(request, now)
    try:
        added = services.add_to_cart(owner=owner, now=now, **form.cleaned_data)
    except services.NotForSale as refusal:
        name = refusal.name or "That product"
        what = "sold out" if refusal.is_sold_out else "not available any more"
        return _add_answer(request, problem=f"{name} is {what}. Your cart is as it was.")
    except services.CartFull:
        return _add_answer(request, problem=f"A cart holds {MAX_LINES} different products. Yours is as it was.")
    response = _add_answer(request, added=added)
    remember_guest(response, owner)
    return response


@require_POST
def update(request: HttpRequest) -> HttpResponse:
    form = UpdateForm(_single_values(request.POST))
    if not form.is_valid():
        return _cart_answer(request, problem=_LINE_QUANTITY_PROBLEM)
    owner = owner_of(request)
    if owner is None:
        return _cart_answer(request)
    asked = form.cleaned_data["quantity"]
    if asked == 0:
        return _without(request, owner, form.cleaned_data["product_id"])
    try:
        kept = services.change_quantity(owner=owner, now=utc_now(), **form.cleaned_data)
    except services.NotInCart:
        return _cart_answer(request, problem="That line is not in your cart any more.")
    got = next((item.quantity for item in kept.items if item.product_id == form.cleaned_data["product_id"]), 0)
    return _cart_answer(request, problem=_limit_words(asked, got), product_id=form.cleaned_data["product_id"])


@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    form = ProductForm(_single_values(request.POST))
    owner = owner_of(request)
    if owner is None or not form.is_valid():
        return _cart_answer(request)
    return _without(request, owner, form.cleaned_data["product_id"])


@require_POST
def enter_code(request: HttpRequest) -> HttpResponse:
    form = CodeForm(_single_values(request.POST))
    typed = form.cleaned_data["code"] if form.is_valid() else ""
    owner = owner_of(request)
    if owner is None:
        return _code_answer(request, typed=typed, problem="Please put something in your cart first.")
    now, source = utc_now(), source_of(request)
    try:
        count_try(Kind.DISCOUNT_SOURCE, source, now=now)
        services.enter_code(owner=owner, typed=typed, now=now)
    except services.CodeRefused as refusal:
        return _code_answer(request, typed=typed, problem=str(refusal))
    except TooManyTries:
        return _code_answer(request, typed=typed, problem=_TOO_MANY_CODES)
    give_back_try(Kind.DISCOUNT_SOURCE, source, now=now)
    return _cart_answer(request)


@require_POST
def remove_code(request: HttpRequest) -> HttpResponse:
    owner = owner_of(request)
    if owner is not None:
        services.remove_code(owner=owner, now=utc_now())
    return _cart_answer(request)


def _code_answer(request: HttpRequest, *, typed: str, problem: str) -> HttpResponse:
    """The cart with the code as it was typed and why it does not hold."""
    if is_htmx(request):
        cart = queries.open_cart(owner=owner_of(request), now=utc_now())
        context = {"cart": cart, "typed": typed[:_LONGEST_CODE], "code_problem": problem}
        return render(request, "cart/cart.html#cart", context)
    messages.error(request, problem, extra_tags=_ABOUT_CODE)
    return redirect(f"{reverse('cart:cart')}?{urlencode({'code': typed[:_LONGEST_CODE]})}")


def _single_values(posted: QueryDict) -> QueryDict:
    """The posted fields without those given more than once: which one was meant is not ours to guess."""
    single = posted.copy()
    for name, values in posted.lists():
        if len(values) > 1:
            del single[name]
    return single


def _add_problem(form: AddForm) -> str:
    if "product_id" in form.errors:
        return "We do not know that product. Your cart is as it was."
    return _ADD_QUANTITY_PROBLEM


def _limit_words(asked: int, got: int) -> str:
    if got >= asked:
        return ""
    if got == MAX_QUANTITY:
        return f"A cart holds at most {got} of one product, so we set the quantity to {got}."
    return f"There are only {got} of those, so we set the quantity to {got}."


def _add_answer(request: HttpRequest, *, added: services.Added | None = None, problem: str = "") -> HttpResponse:
    if is_htmx(request):
        words = _added_words(added) if added else ""
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        response = render(request, "cart/added.html", {"words": words, "problem": problem}, status=status)
        if added:
            response["HX-Trigger"] = "cart-changed"
        return response
    if problem:
        messages.error(request, problem)
    elif added:
        messages.success(request, _added_words(added))
    return redirect("cart:cart")


def _added_words(added: services.Added) -> str:
    if added.quantity == 0:
        return f"You already have all {added.in_cart} of {added.name} in your cart."
    words = f"{added.quantity} × {added.name} added."
    had = added.in_cart - added.quantity
    if added.is_limited:
        return f"{words} You already had {had}, so you have all there is." if had else f"{words} That is all there is."
    return f"{words} You have {added.in_cart} in your cart." if had else words


def _without(request: HttpRequest, owner: Owner, product_id: str) -> HttpResponse:
    """Take the line out, and offer to put it back."""
    try:
        removed = services.remove_line(owner=owner, product_id=product_id, now=utc_now())
    except services.NotInCart:
        return _cart_answer(request)  # a second click: it is gone, as asked
    return _cart_answer(request, removed=Removed.of(removed))


def _cart_answer(
    request: HttpRequest, *, problem: str = "", product_id: str = "", removed: Removed | None = None
) -> HttpResponse:
    """The cart after a change. A problem about a line that cannot be bought at all is told by the line itself."""
    owner = owner_of(request)
    cart = queries.open_cart(owner=owner, now=utc_now())
    if any(line.product_id == product_id and not line.counts for line in cart.lines):
        problem = ""
    if is_htmx(request):
        response = render(request, "cart/cart.html#cart", {"cart": cart, "problem": problem, "removed": removed})
        response["HX-Trigger"] = "cart-changed"
    else:
        if problem:
            messages.warning(request, problem)
        if removed:
            tags = f"{_REMOVED} {removed.product_id} {removed.quantity}"
            messages.success(request, removed.words, extra_tags=tags)
        response = redirect("cart:cart")
    if owner:
        remember_guest(response, owner)  # the cookie lives as long as the cart it names
    return response
