"""What pages are about: a guest, a shopper and staff with carts, orders in every state, links from mails, imports, findings.

Made past the pages, by the same calls that pages make, against the shop whose settings this process has.
"""

import csv
import io
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

import boto3
from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse

from accounts import address_book, email_change, sessions
from accounts import queries as people
from accounts import services as accounts
from accounts.cookies import set_tokens
from accounts.domain import Role, SavedAddress, User, UserStatus
from accounts.sessions import Device, SignedIn
from cart import queries as carts
from cart import services as cart_services
from catalog import importing, menu, product_export
from catalog import queries as catalog
from catalog.domain import Availability, Product
from catalog.review_domain import Words
from orders import queries as orders
from orders import services
from orders.domain import Address, CheckoutDetails, Order
from orders.ledger_domain import Finding, FindingKind
from orders.noting import note_finding
from shop.lib.clock import utc_now
from shop.lib.guests import new_guest, remember_guest
from shop.lib.ids import new_id
from shop.lib.owner import Owner
from shop.lib.viewer import Viewer
from shop.local.audit.routes import Visit, Who
from shop.local.codes import CODES
from shop.local.fake_stripe import FakeStripe
from shop.local.mailbox import mails
from shop.local.people import PASSWORD, PEOPLE

SHOPPER, STAFF, ADMIN = (person.email for person in PEOPLE)
_ADDRESS = Address(name="Mira Holm", street="123 Main St", city="New York", state="NY", zip_code="10001", country="US")
_ACTOR = "staff:audit"
_NEW = "newcomer@example.com"
_MAIL_SECONDS = 60.0
# Enough for every order that is made here.
_PIECES = 20


@dataclass(frozen=True)
class Stage:
    """What is prepared."""

    things: dict[str, str]
    """By the names that `routes.py` uses."""
    guest: Owner

    def path(self, name: str, visit: Visit) -> str:
        """Where a visit leads."""
        given = {argument: self.things[thing] for argument, thing in visit.given.items()}
        return reverse(name, kwargs=given) + visit.query.format_map(self.things)

    def cookies(self, who: Who) -> dict[str, str]:
        """What makes a browser theirs; a session of its own each time, as tokens change while they are used."""
        response = HttpResponse()
        if who is Who.GUEST:
            remember_guest(response, self.guest)
        elif who is not Who.STRANGER:
            set_tokens(response, _session(people.user_by_email(email=ADMIN if who is Who.ADMIN else SHOPPER)))
        return {name: morsel.value for name, morsel in response.cookies.items()}


def set_stage(stripe: FakeStripe) -> Stage:
    """Make everything that pages are opened with."""
    found = _products()
    shopper, guest = people.user_by_email(email=SHOPPER), new_guest(utc_now())
    products = [found["product"], found["family"], found["other"]]
    buying = _Buying(stripe, products)
    mira, ada = _Buyer(Owner(shopper.user_id, is_guest=False), SHOPPER), _Buyer(guest, "ada@example.com")
    placed = {
        "paid": buying.paid(mira),
        "shipped": _shipped(buying.paid(mira)),
        "refunded": _refunded(_shipped(buying.paid(mira))),
        "guest_paid": buying.paid(ada),
        "guest_unpaid": buying.unpaid(ada),
    }
    _reviewed(placed["refunded"], found["other"])
    for buyer in (mira, ada):
        buying.fill_cart(buyer)
    admin = _viewer(people.user_by_email(email=ADMIN))
    things = {
        "nothing": "none-1",
        **{name: one.product_id for name, one in found.items()},
        **{f"{name}_slug": one.slug for name, one in found.items()},
        **{name: order.order_id for name, order in placed.items()},
        "guest_paid_key": orders.key_of(placed["guest_paid"].order_id),
        "reviewed": found["other"].product_id,
        "category": next(one.slug for one in menu.categories() if one.name == found["product"].category),
        "shopper": shopper.user_id,
        "idle": _idle(),
        "member": people.user_by_email(email=STAFF).user_id,
        "mail_origin": "confirmation",
        "code": CODES[0].code,
        "address": _address_of(shopper),
        "finding": FindingKind.ORDER_WITHOUT_PAYMENT,
        "finding_subject": _finding(placed["shipped"]),
        **_transfers(admin, products),
        **_links(shopper),
    }
    return Stage(things, guest)


def _products() -> dict[str, Product]:
    every = sorted(catalog.active_products(), key=lambda product: product.slug)
    here = [product for product in every if product.inventory >= _PIECES and product.rating]
    family = next(product for product in here if catalog.siblings_of(product))
    product, other = [one for one in here if not catalog.siblings_of(one)][:2]
    sold_out = next(product for product in every if product.availability is Availability.OUT)
    return {"product": product, "family": family, "other": other, "sold_out": sold_out}


@dataclass(frozen=True)
class _Buyer:
    owner: Owner
    email: str

    @property
    def details(self) -> CheckoutDetails:
        return CheckoutDetails(email=self.email, phone="", address=_ADDRESS, delivery="standard")


@dataclass(frozen=True)
class _Buying:
    stripe: FakeStripe
    products: list[Product]

    def fill_cart(self, buyer: _Buyer) -> None:
        """All that stands before the button that orders."""
        now = utc_now()
        for product in self.products:
            cart_services.add_to_cart(owner=buyer.owner, product_id=product.product_id, quantity=2, now=now)
        services.remember_details(owner=buyer.owner, details=buyer.details, now=now)

    def unpaid(self, buyer: _Buyer) -> Order:
        self.fill_cart(buyer)
        now = utc_now()
        cart = carts.open_cart(owner=buyer.owner, now=now, buyer=orders.buyer_of(owner=buyer.owner, details=buyer.details))
        seen = services.review_mark(cart, buyer.details)
        order = services.place_order(
            owner=buyer.owner, cart_id=cart.cart_id, total_seen=cart.totals.total.minor, seen=seen, now=now
        )
        page = f"{settings.SITE_ORIGIN}/checkout/{order.order_id}"
        return services.open_payment(order=order, success_url=f"{page}/return/", cancel_url=f"{page}/pay/")

    def paid(self, buyer: _Buyer) -> Order:
        order = self.unpaid(buyer)
        self.stripe.pay(order.payment.session_id)
        return services.settle(session_id=order.payment.session_id, now=utc_now())


def _shipped(order: Order) -> Order:
    now = utc_now()
    sent = services.ship(order=order, carrier="UPS", tracking_number="1Z999AA10123456784", actor=_ACTOR, now=now)
    return services.deliver(order=sent, actor=_ACTOR, now=now)


def _refunded(order: Order) -> Order:
    line = order.lines[0]
    services.request_refund(
        order=order,
        number=order.refund_count + 1,
        lines={line.product_id: 1},
        delivery=True,
        extra=None,
        restock=True,
        note="Arrived chipped.",
        actor=_ACTOR,
        now=utc_now(),
        sent={line.product_id: 1},
    )
    return orders.order_by_id(order_id=order.order_id)


def _reviewed(order: Order, product: Product) -> None:
    words = Words(4, "Just right", "It has stood on our table since the day it came.", "Mira")
    services.submit_review(order=order, product_id=product.product_id, words=words, now=utc_now())


def _viewer(user: User) -> Viewer:
    return Viewer(user.user_id, user.name, user.email, user.role, user.permissions)


def _idle() -> str:
    """An account that is shut out and was never used."""
    now = utc_now()
    user = User(new_id("user", now), "idle@example.com", "Xq", "Zv", Role.CUSTOMER, UserStatus.DISABLED, created_at=now)
    accounts.add_user(user=user, now=now)
    return user.user_id


def _address_of(user: User) -> str:
    given = {"street": "123 Main St", "city": "New York", "state": "NY", "zip_code": "10001", "country": "US"}
    entry = SavedAddress(address_id="", kind="shipping", is_default=True, name="Mira Holm", **given)
    return address_book.add_address(user_id=user.user_id, entry=entry, now=utc_now()).address_id


def _finding(order: Order) -> str:
    kind, now = FindingKind.ORDER_WITHOUT_PAYMENT, utc_now()
    note_finding(Finding(kind, order.order_id, now, "Stripe knows of none.", order.order_id))
    return order.order_id


def _transfers(admin: Viewer, products: Iterable[Product]) -> dict[str, str]:
    """An import whose columns are to be chosen, one that was checked and has a mistake, and an export."""
    made = {name: importing.begin_import(key=_upload(products), actor=admin, now=utc_now()) for name in ("import", "checked")}
    found = importing.transfer(transfer_id=made["checked"])
    columns = {str(place): title for place, title in enumerate(found.titles)}
    importing.check_import(transfer_id=made["checked"], columns=columns, actor=admin)
    made["export"] = product_export.begin_export(actor=admin, now=utc_now())
    for name in ("checked", "export"):
        importing.go_on(transfer_id=made[name], now=utc_now())
    return made


def _upload(products: Iterable[Product]) -> str:
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["sku", "name", "price"])
    for product in products:
        lines.writerow([product.sku, product.name, product.price.minor / 100])
    lines.writerow(["NEW-1", "A thing without a price", "many"])
    key = f"uploads/{new_id('csv', utc_now())}"
    boto3.client("s3").put_object(Bucket=settings.MEDIA_BUCKET, Key=key, Body=text.getvalue().encode())
    return key


def _links(shopper: User) -> dict[str, str]:
    """The secrets of links that were mailed, and a mail."""
    now = utc_now()
    accounts.register(email=_NEW, first_name="Noor", last_name="Vega", password=PASSWORD, source="", now=now)
    accounts.request_password_reset(email=STAFF, source="", now=now)
    email_change.request_email_change(viewer=_session(shopper).viewer, password=PASSWORD, new_email="mira@example.org", now=now)
    wanted = {
        "verify": (_NEW, r"/accounts/verify/([^/\s]+)/"),
        "reset": (STAFF, r"/accounts/password-reset/([^/\s]+)/"),
        "email_old": (SHOPPER, r"/accounts/email/old/([^/\s]+)/"),
        "email_new": ("mira@example.org", r"/accounts/email/new/([^/\s]+)/"),
    }
    deadline = time.monotonic() + _MAIL_SECONDS
    while True:
        sent = mails()
        found = {
            name: match[1]
            for name, (to, link) in wanted.items()
            for mail in sent
            if to in mail.to and (match := re.search(link, mail.text))
        }
        if len(found) == len(wanted):
            return found | {"mail": sent[0].mail_id}
        if time.monotonic() > deadline:
            raise TimeoutError(f"no mail came with {', '.join(sorted(wanted.keys() - found.keys()))}")
        time.sleep(0.5)


def _session(user: User) -> SignedIn:
    device = Device(known_as="", user_agent="", source="", coarse_source="")
    return sessions.start_session(user=user, is_long=False, device=device, now=utc_now())
