"""What requests are about: products on sale, and shoppers who have come as far as a page needs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from django.http import HttpResponse

from accounts import services as accounts
from accounts.cookies import set_tokens
from accounts.domain import Role, User, UserStatus
from accounts.sessions import Device, start_session
from cart import queries as carts
from cart import services as cart_services
from catalog.domain import Product
from orders import queries as orders
from orders import services as order_services
from orders.domain import Address, CheckoutDetails, Order
from shop.lib.clock import utc_now
from shop.lib.guests import GUEST_COOKIE, new_guest, remember_guest
from shop.lib.ids import new_id
from shop.lib.owner import Owner
from shop.local.bench.asks import SITE_ORIGIN
from shop.local.fake_stripe import FakeStripe

_ADDRESS = Address(name="Ada Lovelace", street="123 Main St", city="New York", state="NY", zip_code="10001", country="US")
_ORDERS = 60
"""More than a page of staff's lists holds."""
_OFFICE = Device(known_as="", user_agent="bench", source="127.0.0.1", coarse_source="127.0.0.0")
_DETAILS = CheckoutDetails(email="ada@example.com", phone="", address=_ADDRESS, delivery="standard")


@dataclass(frozen=True)
class Shopper:
    """A guest, and the cookie by which the shop knows them."""

    owner: Owner
    cookie: str


@dataclass(frozen=True)
class Buyer:
    """A shopper on the review page: `agreed` is what its button posts."""

    shopper: Shopper
    agreed: dict[str, str]


@dataclass(frozen=True)
class Customer:
    """A shopper with an order; `key` opens it."""

    shopper: Shopper
    order: Order
    key: str


@dataclass(frozen=True)
class Desk:
    """An admin's browser, and one of the orders there are to work on."""

    cookie: str
    order: Order


class Scene:
    """Makes shoppers of every kind, past the web server."""

    def __init__(self, *, products: Sequence[Product], stripe: FakeStripe) -> None:
        self.products = products
        self._stripe = stripe

    def shopper(self, *, lines: int = 0) -> Shopper:
        """A new guest with so many products in the cart."""
        now = utc_now()
        owner = new_guest(now)
        for product in self.products[:lines]:
            cart_services.add_to_cart(owner=owner, product_id=product.product_id, quantity=1, now=now)
        response = HttpResponse()
        remember_guest(response, owner)
        return Shopper(owner, f"{GUEST_COOKIE}={response.cookies[GUEST_COOKIE].coded_value}")

    def buyer(self) -> Buyer:
        """A new guest with 3 lines who has answered all the checkout asks."""
        shopper = self.shopper(lines=3)
        now = utc_now()
        order_services.remember_details(owner=shopper.owner, details=_DETAILS, now=now)
        cart = carts.open_cart(owner=shopper.owner, now=now, buyer=orders.buyer_of(owner=shopper.owner, details=_DETAILS))
        seen = order_services.review_mark(cart, _DETAILS)
        agreed = {"cart_id": cart.cart_id, "total_seen": str(cart.totals.total.minor), "seen": seen}
        return Buyer(shopper, agreed)

    @cached_property
    def desk(self) -> Desk:
        """An admin, with a page and more of paid orders."""
        now = utc_now()
        user = User(
            user_id=new_id("user", now),
            email="admin@example.com",
            first_name="Ines",
            last_name="Falk",
            role=Role.ADMIN,
            status=UserStatus.ACTIVE,
            created_at=now,
            credentials=1,
        )
        accounts.add_user(user=user, now=now)
        response = HttpResponse()
        set_tokens(response, start_session(user=user, is_long=False, device=_OFFICE, now=now))
        orders = [self.customer(has_paid=True).order for _ in range(_ORDERS)]
        return Desk("; ".join(f"{name}={morsel.coded_value}" for name, morsel in response.cookies.items()), orders[-1])

    def customer(self, *, has_paid: bool) -> Customer:
        """A new guest with an order of 3 lines, its payment page open or paid."""
        buyer = self.buyer()
        now = utc_now()
        order = order_services.place_order(
            owner=buyer.shopper.owner,
            cart_id=buyer.agreed["cart_id"],
            total_seen=int(buyer.agreed["total_seen"]),
            seen=buyer.agreed["seen"],
            now=now,
        )
        page = f"{SITE_ORIGIN}/checkout/{order.order_id}/pay/"
        order = order_services.open_payment(order=order, success_url=page, cancel_url=page)
        if has_paid:
            self._stripe.pay(order.payment.session_id)
            order = order_services.settle(session_id=order.payment.session_id, now=utc_now())
        return Customer(buyer.shopper, order, orders.key_of(order.order_id))
