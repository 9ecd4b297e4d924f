"""Products and stock levels for other systems."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog import editing, queries, services
from catalog.domain import ProductStatus, StockReason
from catalog.models import product_key
from shop.lib.money import Money
from shop.lib.transactions import run_transaction
from tests import factories
from tests.conftest import counted_calls, items_of
from tests.rivals import run_before
from tests.shop.api_calls import by_token, call

pytestmark = pytest.mark.usefixtures("tables")

READER = by_token("products.view")
CLERK = by_token("products.view", "stock.edit")


def stock_of(product_id: str) -> int:
    return queries.product(product_id=product_id, consistent=True).inventory


def moved(product_id: str) -> list[tuple[int, str, str, str]]:
    """What the record of stock says after the first pieces, fewest first (two of one second come in any order)."""
    found = queries.stock_movements(product_id=product_id).items
    return sorted((one.change, str(one.reason), one.actor, one.note) for one in found if one.actor != services.SHOP)


def all_pages(path: str) -> list[list[str]]:
    """The ids of every page of a list, page by page."""
    pages, cursor = [], ""
    while True:
        glue = "&" if "?" in path else "?"
        _, _, content = call("GET", f"{path}{glue}cursor={cursor}" if cursor else path, authorizer=READER)
        pages.append([item["product_id"] for item in content["items"]])
        cursor = content["next_cursor"]
        if not cursor:
            return pages


def adjust(product_id: str, change: int, **sent: Any) -> tuple[int, dict[str, str], Any]:
    return call("POST", f"/stock/{product_id}/adjustments", {"change": change, "reason": "received"}, authorizer=CLERK, **sent)


def test_a_product_is_told_whole_and_exactly() -> None:
    told = {"price": Money(199999, "USD"), "compare_at_price": Money(250000, "USD"), "weight": 390, "tax_class": "books"}
    mug = factories.make_product(inventory=3, **told)

    status, headers, content = call("GET", f"/products/{mug.product_id}", authorizer=READER)

    assert (status, headers["content-type"], headers["cache-control"]) == (200, "application/json", "private, no-store")
    assert content == {
        "product_id": mug.product_id,
        "sku": mug.sku,
        "name": mug.name,
        "path": f"/products/{mug.product_id}/{mug.slug}/",
        "description": "A mug.",
        "price": {"amount": "1999.99", "currency": "USD"},
        "compare_at_price": {"amount": "2500.00", "currency": "USD"},
        "category": "Kitchen & Table",
        "sub_category": "Cups & Mugs",
        "brand": "Saltmere",
        "status": "active",
        "inventory": 3,
        "attributes": {"material": "Stoneware"},
        "weight": 390,
        "tax_class": "books",
        "family": None,
        "options": {},
        "images": [],
        "rating": {"average": "4.8", "count": 212},
        "created_at": "2026-01-01T12:00:00Z",
        "updated_at": "2026-01-01T12:00:00Z",
    }


def test_every_product_is_on_one_page_and_on_no_two_whatever_the_size() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = [factories.make_product(created_at=start + timedelta(minutes=number)).product_id for number in range(7)]
    factories.make_product(status=ProductStatus.INACTIVE)

    assert all_pages("/products?limit=3") == [made[:3:-1], made[3:0:-1], made[:1]]
    assert all_pages("/stock?limit=7") == [made[::-1]]
    assert len(all_pages("/stock?limit=2&status=inactive")[0]) == 1
    with counted_calls() as calls:
        call("GET", "/stock", authorizer=READER)
    assert calls == ["Query", "BatchGetItem"]


def test_a_page_that_was_left_does_not_shift_when_a_product_is_new() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = [factories.make_product(created_at=start + timedelta(minutes=number)).product_id for number in range(4)]
    first = call("GET", "/products?limit=2", authorizer=READER)[2]
    factories.make_product(created_at=start + timedelta(hours=1))

    second = call("GET", f"/products?limit=2&cursor={first['next_cursor']}", authorizer=READER)[2]

    assert [item["product_id"] for item in [*first["items"], *second["items"]]] == made[::-1]


@pytest.mark.parametrize("other", ["/products?status=inactive&cursor={}", "/products?limit=2&cursor={}x", "/orders?cursor={}"])
def test_a_cursor_of_another_list_is_refused_and_not_page_one(other: str) -> None:
    for _ in range(3):
        factories.make_product()
    cursor = call("GET", "/products?limit=2", authorizer=READER)[2]["next_cursor"]

    status, _, content = call("GET", other.format(cursor), authorizer=by_token("products.view", "orders.view"))

    assert (status, content["title"]) == (400, "Not a cursor of this list")


def test_a_sku_finds_its_product() -> None:
    mug = factories.make_product(inventory=3, status=ProductStatus.INACTIVE)

    found = call("GET", f"/stock?sku={mug.sku}", authorizer=READER)[2]
    none = call("GET", "/stock?sku=NONE", authorizer=READER)[2]

    assert found["items"] == [{"product_id": mug.product_id, "sku": mug.sku, "inventory": 3, "availability": "low"}]
    assert none == {"items": [], "next_cursor": None}


def test_who_has_it_already_is_not_sent_it_again() -> None:
    mug = factories.make_product()
    path = f"/stock/{mug.product_id}"
    etag = call("GET", path, authorizer=READER)[1]["etag"]

    same = call("GET", path, authorizer=READER, headers={"if-none-match": f'"x", {etag}'})
    adjust(mug.product_id, 1)
    changed = call("GET", path, authorizer=READER, headers={"if-none-match": etag})

    assert (same[0], same[2]) == (304, None)
    assert (changed[0], changed[2]["inventory"]) == (200, 21)


EDITOR = by_token("products.view", "products.edit")


def change(product_id: str, body: dict[str, Any], **sent: Any) -> tuple[int, dict[str, str], Any]:
    return call("PATCH", f"/products/{product_id}", body, authorizer=EDITOR, **sent)


def test_weight_and_tax_class_are_changed_and_nothing_else_is() -> None:
    mug = factories.make_product(inventory=3)

    status, _, content = change(mug.product_id, {"weight": 420, "tax_class": "books"}, key="erp-1")
    again = change(mug.product_id, {"weight": 420, "tax_class": "books"}, key="erp-1")

    found = queries.product(product_id=mug.product_id, consistent=True)
    assert (status, content["weight"], content["tax_class"]) == (200, 420, "books")
    assert replace(found, weight=None, tax_class="", version=mug.version, updated_at=mug.updated_at) == mug
    assert (found.weight, found.tax_class, found.version) == (420, "books", mug.version + 1)
    assert (again[0], again[1]["idempotency-replayed"], again[2]) == (200, "true", content)
    [entry] = [one for one in items_of("Products") if one["SK"]["S"].startswith("AUDIT#")]
    assert (entry["actorName"]["S"], len(entry["changes"]["L"])) == ("erp", 2)
    # The ordinary class again; what is not told stays.
    assert change(mug.product_id, {"tax_class": ""})[2] | {"updated_at": ""} == content | {"tax_class": None, "updated_at": ""}


@pytest.mark.parametrize(
    "body", [{"weight": -1}, {"weight": "420"}, {"weight": None}, {"tax_class": 7}, {"price": 1}, {"inventory": 9}]
)
def test_what_cannot_be_a_weight_or_a_class_changes_nothing(body: dict[str, Any]) -> None:
    mug = factories.make_product()

    assert change(mug.product_id, body)[0] == 400
    assert queries.product(product_id=mug.product_id, consistent=True) == mug


def test_a_product_that_was_edited_meanwhile_is_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    mug = factories.make_product(inventory=3)
    _, headers, _ = call("GET", f"/products/{mug.product_id}", authorizer=READER)
    assert change(mug.product_id, {"weight": 1})[0] == 200

    assert change(mug.product_id, {"weight": 2}, headers={"If-Match": headers["etag"]})[0] == 412
    real = editing.save_product

    def overtaken(**asked: Any) -> Any:
        real(**asked | {"draft": replace(asked["draft"], name="Another"), "claim": None})
        return real(**asked)

    monkeypatch.setattr(editing, "save_product", overtaken)
    assert change(mug.product_id, {"weight": 3})[0] == 409
    assert queries.product(product_id=mug.product_id, consistent=True).name == "Another"
    assert change("none", {"weight": 3})[0] == 404


def test_stock_is_set_and_adjusted_with_a_record_of_who_and_why() -> None:
    mug = factories.make_product(inventory=7)
    path = f"/stock/{mug.product_id}"

    counted = call("PUT", path, {"inventory": 12, "note": "Counted"}, authorizer=CLERK)
    adjusted = call("POST", f"{path}/adjustments", {"change": -4, "reason": "loss"}, authorizer=CLERK)

    assert [(status, content["inventory"]) for status, _, content in (counted, adjusted)] == [(200, 12), (200, 8)]
    assert moved(mug.product_id) == [(-4, "loss", "system:erp", ""), (5, "adjustment", "system:erp", "Counted")]
    assert call("GET", path, authorizer=READER)[1]["etag"] == adjusted[1]["etag"]


def test_more_than_there_is_cannot_be_taken_out() -> None:
    mug = factories.make_product(inventory=3)

    status, _, content = adjust(mug.product_id, -4)

    assert (status, content["title"], content["inventory"]) == (409, "Not enough in stock", 3)
    assert (stock_of(mug.product_id), moved(mug.product_id)) == (3, [])
    assert not [item for item in items_of("Products") if item["PK"]["S"].startswith("ANSWER#")]


def test_a_write_sent_again_is_answered_again_and_not_done_again() -> None:
    mug = factories.make_product(inventory=3)

    first = adjust(mug.product_id, 5, key="delivery-17")
    services.adjust_stock(product_id=mug.product_id, change=-1, reason=StockReason.LOSS, actor="x", now=datetime.now(UTC))
    again = adjust(mug.product_id, 5, key="delivery-17")

    assert (first[0], first[2]["inventory"], first[1].get("idempotency-replayed")) == (200, 8, None)
    assert (again[0], again[2], again[1]["etag"], again[1]["idempotency-replayed"]) == (200, first[2], first[1]["etag"], "true")
    assert stock_of(mug.product_id) == 7


@pytest.mark.parametrize(
    ("path", "change"),
    [("/stock/{}/adjustments", 6), ("/stock/{other}/adjustments", 5)],
    ids=["another number", "another product"],
)
def test_a_key_that_was_used_for_something_else_is_refused(path: str, change: int) -> None:
    mug, cup = factories.make_product(inventory=3), factories.make_product(inventory=3)
    adjust(mug.product_id, 5, key="k")
    body = {"change": change, "reason": "received"}

    status, _, content = call("POST", path.format(mug.product_id, other=cup.product_id), body, key="k", authorizer=CLERK)

    assert (status, content["title"]) == (422, "The key was used for something else")
    assert (stock_of(mug.product_id), stock_of(cup.product_id)) == (8, 3)


def test_a_key_that_is_used_for_something_else_at_this_very_moment_is_refused() -> None:
    mug = factories.make_product(inventory=3)

    with run_before("TransactWriteItems", lambda: adjust(mug.product_id, 5, key="k")):
        status, _, content = adjust(mug.product_id, 6, key="k")

    assert (status, content["title"]) == (422, "The key was used for something else")
    assert (stock_of(mug.product_id), moved(mug.product_id)) == (8, [(5, "received", "system:erp", "")])


def test_a_key_is_its_senders_own() -> None:
    mug = factories.make_product(inventory=3)
    body = {"change": 5, "reason": "received"}
    path = f"/stock/{mug.product_id}/adjustments"

    answers = [call("POST", path, body, key="k", authorizer=by_token("stock.edit", client_id=one)) for one in ("erp", "till")]

    assert [content["inventory"] for _, _, content in answers] == [8, 13]


def test_a_refused_write_may_be_sent_again_with_its_key() -> None:
    mug = factories.make_product(inventory=3)
    refused = adjust(mug.product_id, -5, key="k")
    adjust(mug.product_id, 10)

    done = adjust(mug.product_id, -5, key="k")

    assert (refused[0], done[0], done[2]["inventory"]) == (409, 200, 8)


def test_a_write_whose_answer_got_lost_with_its_process_is_not_done_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    mug = factories.make_product(inventory=3)

    def dies(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("shop.lib.answers.Claim.keep", dies)
        with pytest.raises(SystemExit):
            adjust(mug.product_id, 5, key="k")
    again = adjust(mug.product_id, 5, key="k")

    assert (again[0], again[2]["inventory"], again[1]["idempotency-replayed"]) == (200, 8, "true")
    assert moved(mug.product_id) == [(5, "received", "system:erp", "")]


def test_of_the_same_write_at_the_same_moment_one_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    mug = factories.make_product(inventory=3)
    nested: list[bool] = []

    def overtaken(build: Any) -> None:
        if not nested:
            nested.append(True)
            adjust(mug.product_id, 5, key="k")
        run_transaction(build)

    monkeypatch.setattr("catalog.stock.run_transaction", overtaken)
    outer = adjust(mug.product_id, 5, key="k")

    assert (outer[0], outer[2]["inventory"], outer[1]["idempotency-replayed"]) == (200, 8, "true")
    assert stock_of(mug.product_id) == 8


def test_a_key_means_something_new_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    mug = factories.make_product(inventory=3)
    with monkeypatch.context() as patch:
        patch.setattr("shop.lib.api.utc_now", lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(days=1, seconds=1))
        adjust(mug.product_id, 5, key="k")

    assert adjust(mug.product_id, 2, key="k")[2]["inventory"] == 10


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_write_bound_to_what_was_read_is_refused_when_that_has_changed(method: str) -> None:
    mug = factories.make_product(inventory=3)
    path = f"/stock/{mug.product_id}"
    read = call("GET", path, authorizer=READER)[1]["etag"]
    adjust(mug.product_id, 1)
    where, body = (path, {"inventory": 9}) if method == "PUT" else (f"{path}/adjustments", {"change": 5, "reason": "received"})

    refused = call(method, where, body, authorizer=CLERK, headers={"if-match": read})
    fresh = call("GET", path, authorizer=READER)[1]["etag"]
    done = call(method, where, body, authorizer=CLERK, headers={"if-match": f'"old", {fresh}'})

    assert (refused[0], refused[2]["title"]) == (412, "It has changed")
    assert (done[0], done[2]["inventory"]) == (200, 9)


def test_a_sale_between_look_and_write_refuses_a_bound_write(monkeypatch: pytest.MonkeyPatch) -> None:
    mug = factories.make_product(inventory=3)
    path = f"/stock/{mug.product_id}"
    read = call("GET", path, authorizer=READER)[1]["etag"]
    sold: list[bool] = []

    def overtaken(build: Any) -> None:
        if not sold:
            sold.append(True)
            services.adjust_stock(product_id=mug.product_id, change=-1, reason=StockReason.SALE, actor="x", now=datetime.now(UTC))
        run_transaction(build)

    monkeypatch.setattr("catalog.stock.run_transaction", overtaken)
    status, _, content = call("PUT", path, {"inventory": 9}, authorizer=CLERK, headers={"if-match": read})

    assert (status, content["title"]) == (409, "It has changed")
    assert stock_of(mug.product_id) == 2


def test_a_product_that_is_not_there_is_not_there() -> None:
    answers = [
        call("GET", "/products/prod-none", authorizer=READER),
        call("GET", "/stock/prod-none", authorizer=READER),
        call("PUT", "/stock/prod-none", {"inventory": 1}, authorizer=CLERK),
        adjust("prod-none", 1),
    ]

    assert [(status, content["detail"]) for status, _, content in answers] == [(404, "There is no product prod-none.")] * 4
    assert items_of("Products") == []


def test_of_the_same_change_of_a_product_at_the_same_moment_one_is_done() -> None:
    mug = factories.make_product()

    with run_before("TransactWriteItems", lambda: change(mug.product_id, {"weight": 420}, key="k")):
        status, headers, content = change(mug.product_id, {"weight": 420}, key="k")

    assert (status, content["weight"], headers["idempotency-replayed"]) == (200, 420, "true")
    assert queries.product(product_id=mug.product_id, consistent=True).version == mug.version + 1


@pytest.mark.parametrize("what", ["product", "stock"])
def test_what_is_deleted_at_the_moment_of_a_write_is_not_there(what: str) -> None:
    mug = factories.make_product(inventory=3)

    with run_before("TransactWriteItems", product_key(mug.product_id).delete):
        status, _, content = change(mug.product_id, {"weight": 1}) if what == "product" else adjust(mug.product_id, 5)

    assert (status, content["detail"]) == (404, f"There is no product {mug.product_id}.")
    assert moved(mug.product_id) == []
    assert not [item for item in items_of("Products") if item["SK"]["S"] == "METADATA" or item["PK"]["S"].startswith("ANSWER#")]


def test_a_bound_write_takes_out_no_more_than_was_read() -> None:
    mug = factories.make_product(inventory=3)
    read = call("GET", f"/stock/{mug.product_id}", authorizer=READER)[1]["etag"]

    status, _, content = adjust(mug.product_id, -4, headers={"if-match": read})

    assert (status, content["title"], content["inventory"]) == (409, "Not enough in stock", 3)
    assert (stock_of(mug.product_id), moved(mug.product_id)) == (3, [])
