"""How long a customer's uses of a discount code are counted: two years after the last; counts of earlier days have no end."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from orders import services
from orders.domain import HOLD, Order
from orders.jobs import release_unpaid_orders
from shop.lib.guests import new_guest
from shop.lib.owner import Owner
from shop.lib.tables import table_name
from tests import factories
from tests.accounts.people import make_user
from tests.conftest import items_of
from tests.orders.test_discounted import make_discount, ready, uses, uses_by

pytestmark = pytest.mark.usefixtures("tables")

KEPT = timedelta(days=730)


def order_with_code(owner: Owner, now: datetime) -> Order:
    return services.place_order(**ready(owner, {factories.make_product().product_id: 1}, now))


def counts() -> dict[str, dict[str, Any]]:
    return {item["SK"]["S"].split("#")[1]: item for item in items_of("Carts") if item["SK"]["S"].startswith("CUSTOMER#")}


def ends(at: datetime) -> dict[str, str]:
    return {"N": str(int(at.timestamp()))}


def test_every_change_of_a_customers_count_moves_its_end_and_the_count_of_all_has_none(now: datetime) -> None:
    make_discount(now)
    ada = Owner(make_user(now).user_id, is_guest=False)

    first = order_with_code(ada, now)
    assert {who: (item["uses"], item["expiresAt"]) for who, item in counts().items()} == {
        "USER": ({"N": "1"}, ends(now + KEPT)),
        "EMAIL": ({"N": "1"}, ends(now + KEPT)),
    }
    later = now + HOLD + timedelta(minutes=2)
    assert release_unpaid_orders(now=later) == 1

    assert {item["expiresAt"]["N"] for item in counts().values()} == {ends(later + KEPT)["N"]}
    assert (uses(), uses_by(first.discount_customers)) == (0, 0)
    [total] = [item for item in items_of("Carts") if item["SK"]["S"] == "USES"]
    assert "expiresAt" not in total


@pytest.mark.parametrize(
    ("ends_at", "may"),
    [(timedelta(seconds=-1), True), (timedelta(days=1), False), (None, False)],
    ids=["over", "not yet", "of earlier days"],
)
def test_a_count_that_is_over_is_in_nobodys_way_before_the_table_has_deleted_it(
    tables: Any, now: datetime, ends_at: timedelta | None, may: bool
) -> None:
    make_discount(now, most_uses_each=1)
    first = order_with_code(new_guest(now), now)
    row = counts()["EMAIL"]
    row.pop("expiresAt")
    tables.put_item(TableName=table_name("Carts"), Item=row if ends_at is None else {**row, "expiresAt": ends(now + ends_at)})

    assert uses_by(first.discount_customers, now) == (0 if may else 1)
    if may:
        assert order_with_code(new_guest(now), now).discount is not None
        assert counts()["EMAIL"]["expiresAt"] == ends(now + KEPT)
    else:
        asked = ready(new_guest(now), {factories.make_product().product_id: 1}, now)
        assert services.place_order(**asked).discount is None
    assert uses() == (2 if may else 1)


def test_a_use_given_back_after_its_count_is_deleted_leaves_no_use_too_many(tables: Any, now: datetime) -> None:
    make_discount(now, most_uses_each=1)
    first = order_with_code(new_guest(now), now)
    row = counts()["EMAIL"]
    tables.delete_item(TableName=table_name("Carts"), Key={"PK": row["PK"], "SK": row["SK"]})

    release_unpaid_orders(now=now + HOLD + timedelta(minutes=2))

    assert uses_by(first.discount_customers) == 0
