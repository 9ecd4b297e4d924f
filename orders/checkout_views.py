"""The checkout's steps. Each is an address of its own; what a step was told is kept on the server, mistakes included."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import wraps

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import address_book
from accounts import queries as accounts
from accounts.book_domain import AddressKind, BookFull
from accounts.domain import SavedAddress, User
from accounts.queries import UserNotFound
from cart import queries as carts
from cart import services as cart_services
from cart.domain import Cart
from orders import queries, services
from orders.domain import Address, Checkout, CheckoutDetails
from orders.forms import AddressForm, ContactForm, DeliveryForm, SavedChoiceForm
from shop.lib.access import owner_of, viewer_of
from shop.lib.clock import utc_now
from shop.lib.http import see_other
from shop.lib.owner import Owner
from shop.lib.places import country_code

_STEPS = (
    ("contact", "Contact"),
    ("address", "Address"),
    ("delivery", "Delivery"),
    ("review", "Review and pay"),
)


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    url: str
    state: str


def with_cart(view: Callable[[HttpRequest, Owner, Cart, Checkout], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A checkout step: give the view the shopper's cart at the prices of what was told, or send them to the cart page or order.

    Who comes back from the payment page by the browser's own button finds the order the cart has become.
    """

    @wraps(view)
    def step(request: HttpRequest) -> HttpResponse:
        owner, now = owner_of(request), utc_now()
        if owner is None:
            return redirect("cart:cart")
        told = queries.checkout(owner=owner, now=now)
        buyer = queries.buyer_of(owner=owner, details=told.details)
        cart = carts.open_cart(owner=owner, now=now, buyer=buyer)
        if cart.lines and not cart.cart_id:
            cart = carts.price_cart(cart_services.make_ready(owner=owner, now=now), now=now, buyer=buyer)
        if not cart.can_check_out:
            became_order = cart.is_empty and cart.order_id
            return redirect("orders:pay", cart.order_id) if became_order else redirect("cart:cart")
        return view(request, owner, cart, told)

    return step


@require_safe
@with_cart
def checkout(request: HttpRequest, owner: Owner, cart: Cart, told: Checkout) -> HttpResponse:
    return redirect(f"orders:{_first_open_step(told.details, cart)}")


@require_http_methods(["GET", "HEAD", "POST"])
@with_cart
def contact(request: HttpRequest, owner: Owner, cart: Cart, told: Checkout) -> HttpResponse:
    details = told.details
    form = ContactForm(_data(request, told, "contact"), initial=_known_contact(request, details))
    if request.method == "POST":
        if not form.is_valid():
            return _ask_again(owner, "contact", form)
        return _remember(owner, "contact", replace(details, **form.cleaned_data), then="address")
    return _step_answer(request, "contact", details, cart, form=form)


def _known_contact(request: HttpRequest, details: CheckoutDetails) -> dict[str, str]:
    if details.email:
        return {"email": details.email, "phone": details.phone}
    user = _account_of(request)
    return {"email": viewer_of(request).email, "phone": details.phone or (user.phone if user else "")}


@require_http_methods(["GET", "HEAD", "POST"])
@with_cart
def address(request: HttpRequest, owner: Owner, cart: Cart, told: Checkout) -> HttpResponse:
    details = told.details
    user = _account_of(request)
    if request.method == "POST" and "saved" in request.POST:
        return _to_saved(request, owner, details, user)
    initial = asdict(details.address) if details.address else {"name": user.name if user else ""}
    form = AddressForm(_data(request, told, "address"), initial=initial, can_save=user is not None)
    if request.method == "POST":
        if not form.is_valid():
            return _ask_again(owner, "address", form)
        if user and form.is_to_be_saved:
            _keep_address(request, user, form.address())
        return _remember(owner, "address", replace(details, address=form.address()), then="delivery")
    saved = _saved_addresses(user)
    return _step_answer(
        request,
        "address",
        details,
        cart,
        form=form,
        saved=saved,
        chosen=_chosen(saved, details.address),
        is_other=bool(form.errors) or (details.address is not None and not _chosen(saved, details.address)),
    )


def _account_of(request: HttpRequest) -> User | None:
    """The account of who is signed in; a guest has none."""
    viewer = viewer_of(request)
    if not viewer.is_signed_in:
        return None
    try:
        return accounts.user(user_id=viewer.user_id)
    except UserNotFound:
        return None


def _saved_addresses(user: User | None) -> list[tuple[str, Address]]:
    """The address book as a choice: addresses for deliveries before others, the default first."""
    book = user.addresses if user else ()
    order = sorted(book, key=lambda entry: (entry.kind != AddressKind.SHIPPING, not entry.is_default))
    return [(entry.address_id, _address_of(entry, user)) for entry in order]


def _address_of(entry: SavedAddress, user: User | None) -> Address:
    return Address(
        name=entry.name or (user.name if user else ""),
        street=entry.street,
        city=entry.city,
        state=entry.state,
        zip_code=entry.zip_code,
        country=country_code(entry.country),
        street2=entry.street2,
    )


def _chosen(saved: list[tuple[str, Address]], told: Address | None) -> str:
    """Which entry stands chosen: the one told before, or the first when nothing was told."""
    if told is None:
        return saved[0][0] if saved else ""
    return next((address_id for address_id, address in saved if address == told), "")


def _to_saved(request: HttpRequest, owner: Owner, details: CheckoutDetails, user: User | None) -> HttpResponse:
    """Send it to an entry of the address book; one we do not deliver to, or that lacks something, is asked about."""
    choice = SavedChoiceForm(request.POST)
    found = dict(_saved_addresses(user)).get(choice.cleaned_data["saved"]) if choice.is_valid() else None
    if found is None:
        messages.warning(request, "That address is not in your address book any more. Please choose another one.")
        return see_other(reverse("orders:address"))
    form = AddressForm(asdict(found))
    if not form.is_valid():
        return _ask_again(owner, "address", form)
    return _remember(owner, "address", replace(details, address=form.address()), then="delivery")


def _keep_address(request: HttpRequest, user: User, address: Address) -> None:
    entry = SavedAddress(address_id="", kind=AddressKind.SHIPPING, is_default=False, **asdict(address))
    try:
        address_book.add_address(user_id=user.user_id, entry=entry, now=utc_now())
    except BookFull:
        messages.warning(request, "Your address book is full, so this address is used for this order alone.")


@require_http_methods(["GET", "HEAD", "POST"])
@with_cart
def delivery(request: HttpRequest, owner: Owner, cart: Cart, told: Checkout) -> HttpResponse:
    details = told.details
    form = DeliveryForm(
        _data(request, told, "delivery"),
        methods=cart.offers.methods,
        initial={"delivery": cart.delivery.code if cart.delivery else ""},
    )
    if request.method == "POST":
        if not form.is_valid():
            return _ask_again(owner, "delivery", form)
        return _remember(owner, "delivery", replace(details, **form.cleaned_data), then="review")
    now = utc_now()
    choices = [(method, *method.arrival(now)) for method in form.methods]
    return _step_answer(request, "delivery", details, cart, form=form, choices=choices)


@require_safe
@with_cart
def review(request: HttpRequest, owner: Owner, cart: Cart, told: Checkout) -> HttpResponse:
    details = told.details
    open_step = _first_open_step(details, cart)
    if open_step != "review":
        return redirect(f"orders:{open_step}")
    return _step_answer(
        request,
        "review",
        details,
        cart,
        delivery=cart.delivery,
        totals=cart.totals,
        cart_id=cart.cart_id,
        total_seen=cart.totals.total.minor,
        seen=services.review_mark(cart, details),
        unfinished=[(label, reverse(f"orders:{name}")) for name, label in _STEPS if name in told.typed],
    )


def _data(request: HttpRequest, told: Checkout, step: str) -> Mapping[str, str] | None:
    """What a step's form holds: what is posted now, or what was posted last with a mistake in it. None for a clean form."""
    return request.POST if request.method == "POST" else told.typed.get(step)


def _ask_again(owner: Owner, step: str, form: forms.Form) -> HttpResponse:
    """Show a step with what was typed and what is wrong, as a page of its own: Back and refresh must not send a form again."""
    typed = {name: form.data.get(name, "") for name in form.fields}
    services.remember_typed(owner=owner, step=step, fields=typed, now=utc_now())
    return see_other(reverse(f"orders:{step}"))


def _remember(owner: Owner, step: str, details: CheckoutDetails, *, then: str) -> HttpResponse:
    services.remember_details(owner=owner, details=details, now=utc_now(), step=step)
    return see_other(reverse(f"orders:{then}"))


def _first_open_step(details: CheckoutDetails, cart: Cart) -> str:
    if not details.email:
        return "contact"
    if not details.address:
        return "address"
    return "review" if cart.is_delivery_chosen else "delivery"


def _step_answer(request: HttpRequest, step: str, details: CheckoutDetails, cart: Cart, **more: object) -> HttpResponse:
    context = {"details": details, "cart": cart, "steps": _steps(step, _first_open_step(details, cart)), **more}
    return render(request, f"orders/{step}.html", context)


def _steps(current: str, first_open: str) -> list[Step]:
    names = [name for name, _ in _STEPS]
    reached = names.index(first_open)
    return [
        Step(label, reverse(f"orders:{name}"), "current" if name == current else ("done" if at <= reached else "todo"))
        for at, (name, label) in enumerate(_STEPS)
    ]
