"""Every form of the shop with fields nobody asked for: it does what it is for, and nothing of those fields is written."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest
from django.test import Client

from accounts import services, sessions
from accounts.domain import User
from accounts.services import Link
from accounts.sessions import Device
from orders.domain import Order
from orders.queries import key_of
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.accounts.people import ADDRESS, PASSWORD, deliver, link_in, log_in, make_user, raw_user
from tests.conftest import TABLES, items_of
from tests.orders.paid import paid_order
from tests.orders.walk import fields_of, walk_to_review
from tests.shop.form_addresses import addresses
from tests.shop.local.fake_stripe.scene import card, visit

pytestmark = pytest.mark.usefixtures("tables")

EXTRAS = {
    "role": "admin",
    "status": "mass-status",
    "state": "mass-state",
    "user_id": "user-mass",
    "userId": "user-mass",
    "owner": "GUEST#mass",
    "PK": "USER#mass",
    "order_id": "ord-mass",
    "permissions": "staff.manage",
    "granted": "settings.edit",
    "is_staff": "mass-staff",
    "credentials": "987654",
    "version": "987654",
    "password_hash": "mass-hash",
    "passwordHash": "mass-hash",
    "factor": "factor-mass",
    "email_verified": "mass-verified",
    "created_at": "1999-01-01T00:00:00Z",
    "expires_at": "4102444800",
    "stripe_customer_id": "cus_mass",
    "price": "0.017",
    "total": "0.017",
    "totals": "0.017",
    "inventory": "987654",
    "discount": "0.017",
    "product_name": "mass-product",
}


@dataclass
class World:
    """Ada, signed in, and what her forms are about."""

    client: Client
    stripe: FakeStripe
    user: User
    now: datetime

    @property
    def owner(self) -> Owner:
        return Owner(self.user.user_id, is_guest=False)

    def product(self) -> str:
        return factories.make_product(inventory=9).product_id

    def in_cart(self) -> str:
        product_id = self.product()
        factories.fill_cart(self.owner, {product_id: 2}, self.now)
        return product_id

    def unpaid(self) -> Order:
        return factories.open_payment(factories.make_order(self.owner, {self.product(): 2}, self.now))

    def paid(self) -> Order:
        return paid_order(self.stripe, self.owner, {self.product(): 2}, self.now)

    def address(self) -> str:
        self.client.post("/accounts/addresses/add/", ADDRESS | {"kind": "shipping"})
        return str(raw_user_addresses(self.user)[0])

    def link(self, kind: Link) -> str:
        until = self.now + timedelta(minutes=9)
        return services.make_link(link=kind, email=self.user.email, expires_at=until, user=self.user)

    def card(self) -> str:
        order = self.unpaid()
        customer_page = self.client.post(f"/checkout/{order.order_id}/pay/")["Location"]
        visit(customer_page, card(save_card="yes"))
        self.client.get("/accounts/cards/")
        return str(re.findall(r"/accounts/cards/(pm_\w+)/", self.client.get("/accounts/cards/").text)[0])


def raw_user_addresses(user: User) -> list[str]:
    (item,) = [one for one in items_of("Users") if one["SK"]["S"] == "PROFILE" and one["userId"]["S"] == user.user_id]
    return [entry["M"]["id"]["S"] for entry in item["addresses"]["L"]]


Posted = tuple[str, dict[str, str], int]


def _fixed(path: str, fields: dict[str, str], status: int) -> Callable[[World], Posted]:
    return lambda _: (path, fields, status)


def _in_cart(path: str, status: int, **fields: str) -> Callable[[World], Posted]:
    return lambda world: (path, {"product_id": world.in_cart(), **fields}, status)


def _about_order(path: str, status: int, *, is_paid: bool, **fields: str) -> Callable[[World], Posted]:
    return lambda world: (path.format((world.paid() if is_paid else world.unpaid()).order_id), fields, status)


def _about_address(path: str) -> Callable[[World], Posted]:
    return lambda world: (path.format(world.address()), {}, 303)


def _change_address(world: World) -> Posted:
    path = f"/accounts/addresses/{world.address()}/"
    (seen,) = re.findall(r'name="seen" value="(\w+)"', world.client.get(path).text)
    return path, ADDRESS | {"kind": "billing", "city": "Boston", "seen": seen}, 303


def _verify(world: World) -> Posted:
    details = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@example.com", "password": PASSWORD}
    Client().post("/accounts/register/", details | EXTRAS)
    return link_in(deliver(world.now)[-1]), {"password": PASSWORD}, 303


def _email(number: int) -> Callable[[World], Posted]:
    def follow(world: World) -> Posted:
        world.client.post("/accounts/email/", {"email": "countess@example.com", "password": PASSWORD} | EXTRAS)
        return link_in(deliver(world.now)[-2 + number]), {}, 200

    return follow


def _set_up(world: World) -> Posted:
    page = world.client.get("/accounts/second-factor/").text
    secret = re.findall(r"<code>([A-Z2-7 ]+)</code>", page)[0].replace(" ", "")
    setup = re.findall(r'name="setup" value="([^"]+)"', page)[0]
    return "/accounts/second-factor/", {"setup": setup, "code": pyotp.TOTP(secret).now()}, 200


def _turn_off(world: World) -> Posted:
    path, fields, _status = _set_up(world)
    world.client.post(path, fields)
    return f"{path}off/", {"password": PASSWORD}, 303


def _end_session(world: World) -> Posted:
    device = Device(known_as="", user_agent="", source="", coarse_source="")
    other = sessions.start_session(user=world.user, is_long=True, device=device, now=world.now)
    return "/accounts/sessions/end/", {"session_id": other.session.session_id}, 303


def _place(world: World) -> Posted:
    return "/checkout/place/", fields_of(walk_to_review(world.client, world.product())), 303


def _review(world: World) -> Posted:
    order = world.paid()
    words = {"stars": "4", "title": "Fine mug", "text": "It keeps the tea warm.", "author": "Ada"}
    return f"/orders/{order.order_id}/reviews/{order.lines[0].product_id}/", words, 303


def _open_account(world: World) -> Posted:
    order = paid_order(world.stripe, Owner("guest-1", is_guest=True), {world.product(): 1}, world.now)
    world.client.cookies.clear()
    return f"/orders/{order.order_id}/account/?key={key_of(order.order_id)}", {"password": PASSWORD}, 303


def _step(path: str, fields: dict[str, str]) -> Callable[[World], Posted]:
    def prepare(world: World) -> Posted:
        walk_to_review(world.client, world.product())
        return path, fields, 303

    return prepare


NEW = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@example.com", "password": PASSWORD}
NEXT = {"password": PASSWORD, "new_password": "another lamp entirely"}
FORMS: dict[str, Callable[[World], Posted]] = {
    "accounts:register": _fixed("/accounts/register/", NEW, 303),
    "accounts:verify": _verify,
    "accounts:login": _fixed("/accounts/login/", {"email": "ada@example.com", "password": PASSWORD}, 303),
    "accounts:logout": _fixed("/accounts/logout/", {}, 303),
    "accounts:password_reset": _fixed("/accounts/password-reset/", {"email": "ada@example.com"}, 303),
    "accounts:reset": lambda world: (
        f"/accounts/password-reset/{world.link(Link.RESET)}/",
        {"password": "another lamp entirely"},
        303,
    ),
    "accounts:second_factor": _set_up,
    "accounts:second_factor_off": _turn_off,
    "accounts:profile": _fixed("/accounts/profile/", {"first_name": "Ada", "last_name": "King", "phone": ""}, 303),
    "accounts:add_address": _fixed("/accounts/addresses/add/", ADDRESS | {"kind": "shipping"}, 303),
    "accounts:change_address": _change_address,
    "accounts:remove_address": _about_address("/accounts/addresses/{}/remove/"),
    "accounts:default_address": _about_address("/accounts/addresses/{}/default/"),
    "accounts:change_password": _fixed("/accounts/password/", NEXT, 303),
    "accounts:change_email": _fixed("/accounts/email/", {"email": "countess@example.com", "password": PASSWORD}, 303),
    "accounts:email_old": _email(0),
    "accounts:email_new": _email(1),
    "accounts:end_session": _end_session,
    "accounts:end_other_sessions": _fixed("/accounts/sessions/end-others/", {}, 303),
    "cart:add": lambda world: ("/cart/add/", {"product_id": world.product(), "quantity": "1"}, 302),
    "cart:update": _in_cart("/cart/update/", 302, quantity="3"),
    "cart:remove": _in_cart("/cart/remove/", 302),
    "cart:code": _in_cart("/cart/code/", 302, code="NOSUCHCODE"),
    "cart:remove-code": _in_cart("/cart/code/remove/", 302),
    "catalog:forget_recent": _fixed("/products/recent/forget/", {}, 303),
    "catalog:tell_me": lambda _: (
        f"/products/{factories.make_product(inventory=0).product_id}/tell-me/",
        {"email": "ada@example.com"},
        303,
    ),
    "orders:contact": _step("/checkout/contact/", {"email": "ada@example.com", "phone": ""}),
    "orders:address": _step("/checkout/address/", ADDRESS),
    "orders:delivery": _step("/checkout/delivery/", {"delivery": "express"}),
    "orders:place": _place,
    "orders:pay": _about_order("/checkout/{}/pay/", 303, is_paid=False),
    "orders:cancel": _about_order("/checkout/{}/cancel/", 303, is_paid=False),
    "orders:keep": _about_order("/checkout/{}/keep/", 303, is_paid=False),
    "orders:find": _fixed("/orders/find/", {"number": "ord-1ng7ww2h673pp", "email": "ada@example.com"}, 303),
    "orders:cancel_paid": _about_order("/orders/{}/cancel/", 303, is_paid=True),
    "orders:again": _about_order("/orders/{}/again/", 303, is_paid=True),
    "orders:review_product": _review,
    "orders:open_account": _open_account,
    "orders:delete_account": _fixed("/accounts/delete/", {"password": PASSWORD}, 303),
    "orders:default_card": lambda world: (f"/accounts/cards/{world.card()}/default/", {}, 303),
    "orders:remove_card": lambda world: (f"/accounts/cards/{world.card()}/remove/", {}, 303),
}
NOT_FORMS = {"orders:stripe_webhook"}


def test_every_address_that_takes_a_form_is_in_the_table(client: Client) -> None:
    shoppers = addresses(lambda route: not route.startswith(("staff/", "api/", "_local/")))
    taking = {name for name, path in shoppers.items() if client.post(path).status_code != 405}

    assert taking - NOT_FORMS == set(FORMS)


@pytest.mark.parametrize("name", FORMS)
def test_what_no_form_asks_for_is_written_nowhere(
    tables: Any, stripe: FakeStripe, client: Client, now: datetime, name: str
) -> None:
    user = make_user(now)
    log_in(client)
    before = raw_user(tables, user)
    path, fields, status = FORMS[name](World(client, stripe, user, now))
    extras = {field: value for field, value in EXTRAS.items() if field not in fields}

    answer = client.post(path, fields | extras)

    assert answer.status_code == status, answer.text[:2000]
    written = str([items_of(table) for table in TABLES])
    assert [value for value in set(extras.values()) if f"'{value}'" in written] == []
    kept = [item for item in items_of("Users") if item["PK"] == before["PK"] and item["SK"]["S"] == "PROFILE"]
    for after in kept:
        assert [after.get(one) for one in ("role", "status", "userId", "permissions", "createdAt")] == [
            before.get(one) for one in ("role", "status", "userId", "permissions", "createdAt")
        ]
    assert bool(kept) is (name != "orders:delete_account")
