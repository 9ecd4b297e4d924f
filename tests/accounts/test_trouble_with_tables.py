"""Trouble with the tables is told as what it is: never taken for "somebody was quicker", and nothing is half done."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import bcrypt
import pyotp
import pytest
from django.test import Client
from pynamodb.exceptions import UpdateError

from accounts import cards, second_factor, sessions
from accounts.cookies import ACCESS_COOKIE, REFRESH_COOKIE
from accounts.domain import SavedCard, User
from accounts.models import EMAIL_SK, EmailRow, UserRow, email_pk, user_key
from shop.lib.viewer import Viewer
from tests.accounts.people import ADDRESS, PASSWORD, log_in, make_user, session_of
from tests.conftest import items_of
from tests.rivals import fails, refusal, run_before

pytestmark = pytest.mark.usefixtures("tables")

HOME = {**ADDRESS, "kind": "shipping"}
SECOND_FACTOR = "/accounts/second-factor/"
SET_UP = timedelta(minutes=2)
"""How long ago an authenticator was set up, so that its code of now is another."""

Act = Callable[[], Any]


def kept() -> list[dict[str, Any]]:
    """Everything there is, but for the counts of tries."""
    return [item for item in items_of("Users") if item["SK"]["S"] != "LIMIT"]


def trouble(operation: str) -> Callable[[], object]:
    return fails(refusal(operation, "ThrottlingException"))


def _secret(user: User, now: datetime) -> str:
    """The secret of an authenticator that has just been turned on."""
    secret, setup = second_factor.new_setup(user=user)
    code = pyotp.TOTP(secret).at(now - SET_UP)
    second_factor.turn_on(user=user, session=session_of(user, now - SET_UP), setup=setup, code=code, now=now - SET_UP)
    return secret


def _name(client: Client, _ada: User, _now: datetime) -> Act:
    return lambda: client.post("/accounts/profile/", {"first_name": "Augusta", "last_name": "King", "phone": ""})


def _address(client: Client, _ada: User, _now: datetime) -> Act:
    return lambda: client.post("/accounts/addresses/add/", HOME)


def _turning_on(client: Client, _ada: User, _now: datetime) -> Act:
    page = client.get(SECOND_FACTOR).text
    secret = re.findall(r"<code>([A-Z2-7 ]+)</code>", page)[0].replace(" ", "")
    setup = re.findall(r'name="setup" value="([^"]+)"', page)[0]
    return lambda: client.post(SECOND_FACTOR, {"setup": setup, "code": pyotp.TOTP(secret).now()})


def _turning_off(client: Client, ada: User, now: datetime) -> Act:
    _turning_on(client, ada, now)()
    return lambda: client.post(f"{SECOND_FACTOR}off/", {"password": PASSWORD})


def _code(client: Client, ada: User, now: datetime) -> Act:
    secret = _secret(ada, now)
    return lambda: client.post(SECOND_FACTOR, {"code": pyotp.TOTP(secret).now()})


def _renewal(client: Client, ada: User, now: datetime) -> Act:
    device = sessions.Device(known_as="", user_agent="", source="", coarse_source="")
    signed_in = sessions.start_session(user=ada, is_long=True, device=device, now=now - timedelta(hours=1))
    client.cookies[ACCESS_COOKIE], client.cookies[REFRESH_COOKIE] = signed_in.access, signed_in.refresh
    return lambda: client.get("/accounts/")


def _better_hash(_client: Client, ada: User, _now: datetime) -> Act:
    cheap = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(5)).decode()
    user_key(ada.user_id).update(actions=[UserRow.password_hash.set(cheap)])
    return lambda: log_in(Client())


def _first_login(_client: Client, ada: User, _now: datetime) -> Act:
    """Of an account as another system writes it, which claims no address."""
    EmailRow(email_pk(ada.email), EMAIL_SK).delete()
    user_key(ada.user_id).update(actions=[UserRow.credentials.remove()])
    return lambda: log_in(Client())


@pytest.mark.parametrize(
    ("prepare", "operation", "nth"),
    [
        (_name, "UpdateItem", 1),
        (_address, "UpdateItem", 1),
        (_turning_on, "UpdateItem", 1),
        (_turning_off, "UpdateItem", 1),
        (_code, "UpdateItem", 1),
        (_renewal, "UpdateItem", 1),
        (_better_hash, "UpdateItem", 1),
        (_first_login, "PutItem", 4),
    ],
)
def test_a_busy_table_is_told_and_nothing_has_changed(
    client: Client, now: datetime, prepare: Callable[[Client, User, datetime], Act], operation: str, nth: int
) -> None:
    ada = make_user(now)
    log_in(client)
    act = prepare(client, ada, now)
    before = kept()

    with run_before(operation, trouble(operation), nth=nth):
        answer = act()

    assert (answer.status_code, answer["Retry-After"] != "") == (503, True)
    assert kept() == before
    assert act().status_code in (200, 303)


@pytest.mark.parametrize(
    "write",
    [
        lambda user_id: cards.keep_customer(user_id=user_id, customer_id="cus_2"),
        lambda user_id: cards.forget_customer(user_id=user_id, customer_id="cus_1"),
        lambda user_id: cards.keep_cards(user_id=user_id, customer_id="cus_1", cards=()),
    ],
    ids=["keep a customer", "forget a customer", "keep cards"],
)
def test_what_stripe_says_is_not_taken_for_kept_when_it_is_not(write: Callable[[str], object], now: datetime) -> None:
    ada = make_user(now)
    cards.keep_customer(user_id=ada.user_id, customer_id="cus_1")
    card = SavedCard("pm_1", "card", "4242", "visa", 12, 2034, is_default=True)
    cards.keep_cards(user_id=ada.user_id, customer_id="cus_1", cards=(card,))
    before = kept()

    with run_before("UpdateItem", trouble("UpdateItem")), pytest.raises(UpdateError):
        write(ada.user_id)

    assert kept() == before


def test_a_session_is_not_taken_for_ended_when_its_code_cannot_be_noted(client: Client, now: datetime) -> None:
    ada = make_user(now)
    log_in(client)
    secret = _secret(ada, now)

    with run_before("UpdateItem", trouble("UpdateItem"), nth=2):
        answer = client.post(SECOND_FACTOR, {"code": pyotp.TOTP(secret).now()})

    assert answer.status_code == 503
    assert client.get("/accounts/").status_code == 200
    assert [item.get("factor") for item in kept() if item["SK"]["S"].startswith("SESSION#")] == [None]


def test_a_try_that_cannot_be_counted_is_none(now: datetime) -> None:
    make_user(now)

    with run_before("PutItem", trouble("PutItem")):
        answer = log_in(Client())

    assert answer.status_code == 503
    assert [item for item in items_of("Users") if item["SK"]["S"] == "LIMIT" or item["SK"]["S"].startswith("SESSION#")] == []


def test_a_filter_is_not_taken_for_kept_when_it_is_not(client: Client, sign_in: Callable[..., Viewer]) -> None:
    sign_in(client, "orders.view")
    wish = {"name": "Mine", "query": "q=ada"}

    with run_before("PutItem", trouble("PutItem")):
        answer = client.post("/staff/filters/orders/", wish)

    assert (answer.status_code, kept()) == (503, [])
    assert client.post("/staff/filters/orders/", wish).status_code == 303
