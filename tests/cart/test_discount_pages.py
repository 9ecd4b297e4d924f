"""Staff's pages of discount codes: what they show, write and refuse."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from cart import discount_queries, discounts
from cart.discount_domain import Discount, DiscountKind, DiscountState
from shop.lib.money import Money
from shop.lib.tables import table_name
from shop.lib.viewer import Viewer
from tests.conftest import counted_calls, items_of, words_of

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]
URL = "/staff/discounts/"
STAFF = Viewer("user-eve", "Eve", "eve@shop.example", "staff")


@pytest.fixture
def desk(client: Client, sign_in: SignIn) -> Client:
    sign_in(client, "discounts.edit", "audit.view", "orders.view")
    return client


def make(now: datetime, **terms: Any) -> Discount:
    made: Any = {"code": "SPRING10", "kind": DiscountKind.PERCENT, "percent": Decimal(10), **terms}
    return discounts.create_discount(discount=Discount(**made), actor=STAFF, now=now)


def written(**changes: str) -> dict[str, str]:
    return {"code": "SPRING10", "kind": "percent", "percent": "10", "is_active": "on", "version": "1"} | changes


def listed(page: str) -> list[tuple[str, str]]:
    return re.findall(r'<b>([-\w]+)</b>.*?<span class="badge[^"]*">([^<]+)</span>', page, re.DOTALL)


def kept(code: str = "SPRING10") -> Discount:
    return discount_queries.discount(code=code)


def test_all_rules_are_written_as_typed(desk: Client) -> None:
    terms = written(code=" spring 10 ", kind="amount", amount="7.50", percent="5", minimum="40", starts_at="2027-03-01T08:30")
    terms |= {"ends_at": "2027-04-01T00:00", "most_uses": "100", "most_uses_each": "1"}
    answer = desk.post(f"{URL}new/", terms)

    assert (answer.status_code, answer["Location"]) == (303, f"{URL}SPRING10/")
    assert kept() == Discount(
        "SPRING10",
        DiscountKind.AMOUNT,
        amount=Money(750, "USD"),
        minimum=Money(4000, "USD"),
        starts_at=datetime(2027, 3, 1, 8, 30, tzinfo=UTC),
        ends_at=datetime(2027, 4, 1, tzinfo=UTC),
        most_uses=100,
        most_uses_each=1,
    )
    page = desk.get(answer["Location"])
    assert re.findall(r'name="(starts_at|ends_at)" value="([^"]*)"', page.text) == [
        ("starts_at", "2027-03-01T08:30"),
        ("ends_at", "2027-04-01T00:00"),
    ]
    assert "Ada Lovelace made the code" in words_of(page.text)


def test_a_code_left_empty_is_made_up(desk: Client) -> None:
    code = desk.post(f"{URL}new/", written(code=""))["Location"].split("/")[-2]
    assert re.fullmatch("[A-HJ-NP-Z2-9]{10}", code)
    assert kept(code).label == "10 % off"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"percent": "101"}, "Please give a percentage above 0 and up to 100."),
        ({"kind": "amount"}, "Please give an amount above 0."),
        ({"kind": "amount", "amount": "1.005"}, "USD has no amount as fine as 1.005."),
        ({"starts_at": "2027-01-02T00:00", "ends_at": "2027-01-01T00:00"}, "The code must end after it begins."),
        ({"code": "S!"}, "A code has up to 30 letters"),
        ({"code": "TAKEN"}, "There is a code of this name already"),
        ({"most_uses": "0"}, "greater than or equal to 1"),
    ],
)
def test_terms_that_make_no_sense_are_refused(desk: Client, now: datetime, changes: dict[str, str], words: str) -> None:
    make(now, code="TAKEN")
    before = items_of("Carts")
    page = desk.post(f"{URL}new/", written(**changes))
    assert page.status_code == 422
    assert words in words_of(page.text)
    assert items_of("Carts") == before


def test_codes_are_listed_with_their_state_and_uses_in_two_calls(desk: Client, tables: Any, now: datetime) -> None:
    hour = timedelta(hours=1)
    make(now, code="AUTUMN", starts_at=now + hour)
    make(now, code="FULL", most_uses=2)
    make(now, code="OLD", ends_at=now - hour)
    make(now, code="OFF", is_active=False)
    make(now)
    tables.update_item(
        TableName=table_name("Carts"),
        Key={"PK": {"S": "DISCOUNT#FULL"}, "SK": {"S": "USES"}},
        UpdateExpression="SET uses = :n",
        ExpressionAttributeValues={":n": {"N": "2"}},
    )
    with counted_calls() as calls:
        page = desk.get(URL).text

    assert calls == ["Query", "BatchGetItem"]
    assert listed(page) == [
        ("AUTUMN", "Scheduled"),
        ("FULL", "Used up"),
        ("OFF", "Switched off"),
        ("OLD", "Ended"),
        ("SPRING10", "Active"),
    ]
    assert "2 of 2" in words_of(page)
    assert listed(desk.get(f"{URL}?state=used_up").text) == [("FULL", "Used up")]
    assert listed(desk.get(f"{URL}?q=o").text) == [("OFF", "Switched off"), ("OLD", "Ended")]
    assert "No code begins with X." in words_of(desk.get(f"{URL}?q=x").text)
    assert len(listed(desk.get(f"{URL}?state=lost&q=%00&cursor=forged").text)) == 5


def test_of_two_editors_the_second_sees_both_versions(desk: Client, now: datetime) -> None:
    made = make(now)
    discounts.update_discount(discount=replace(made, percent=Decimal(15)), actor=STAFF, now=now)

    page = desk.post(f"{URL}SPRING10/", written(percent="20"))

    assert page.status_code == 409
    assert "Percentage15" in words_of(page.text).replace(" ", "")
    assert kept().percent == 15
    # A mistake on the way does not make anybody overwrite what they have not seen.
    mistaken = desk.post(f"{URL}SPRING10/", written(percent="200"))
    assert (mistaken.status_code, re.findall(r'name="version" value="(\d+)"', mistaken.text)[-1]) == (422, "1")
    again = re.findall(r'name="version" value="(\d+)"', page.text)[-1]
    assert desk.post(f"{URL}SPRING10/", written(percent="20", version=again)).status_code == 303
    assert kept().percent == 20


def test_a_code_is_switched_off_and_on(desk: Client, now: datetime) -> None:
    make(now)
    off = desk.post(f"{URL}SPRING10/switch/", {"to": "off", "version": "1"}, follow=True)
    assert "SPRING10 is switched off: no further order gets it." in words_of(off.text)
    assert kept().state(now) is DiscountState.OFF
    late = desk.post(f"{URL}SPRING10/switch/", {"to": "on", "version": "1"}, follow=True)
    assert "Somebody else changed this code meanwhile" in words_of(late.text)
    assert kept().state(now) is DiscountState.OFF
    desk.post(f"{URL}SPRING10/switch/", {"to": "on", "version": "2"})
    assert kept().state(now) is DiscountState.ACTIVE


def test_only_a_code_no_order_had_is_deleted(desk: Client, tables: Any, now: datetime) -> None:
    make(now)
    make(now, code="USED")
    tables.update_item(  # used once, and given back
        TableName=table_name("Carts"),
        Key={"PK": {"S": "DISCOUNT#USED"}, "SK": {"S": "USES"}},
        UpdateExpression="SET uses = :n",
        ExpressionAttributeValues={":n": {"N": "0"}},
    )
    before = kept("USED")

    refused = desk.post(f"{URL}USED/delete/", {"version": "1"}, follow=True)
    stale = desk.post(f"{URL}SPRING10/delete/", {"version": "2"}, follow=True)
    assert "An order has had USED, so it stays." in words_of(refused.text)
    assert "Somebody else changed this code meanwhile" in words_of(stale.text)
    assert (kept("USED"), kept().version) == (before, 1)

    gone = desk.post(f"{URL}SPRING10/delete/", {"version": "1"}, follow=True)
    assert listed(gone.text) == [("USED", "Active")]
    assert desk.get(f"{URL}SPRING10/").status_code == 404
    trail = words_of(desk.get("/staff/audit/?of=codes").text)
    assert "deleted the code" in trail
    assert trail.count("made the code") == 2
    assert "made the code SPRING10 Code: SPRING10 What it gives: A percentage off the goods Percentage: 10 Holds: yes" in trail


def test_a_code_that_was_deleted_can_be_made_anew(desk: Client, now: datetime) -> None:
    make(now)
    desk.post(f"{URL}SPRING10/delete/", {"version": "1"})
    assert desk.post(f"{URL}new/", written(percent="30")).status_code == 303
    assert (kept().percent, kept().uses) == (Decimal(30), 0)
