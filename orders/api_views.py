"""Orders for other systems: what was ordered, and what has left and arrived."""

from typing import Any

from orders import desk_queries, queries, services
from orders.desk_models import OrderAnswerRow
from orders.desk_queries import ListedOrder
from orders.domain import MOST_PARCELS, HistoryEntry, Order, OrderLine, OrderStatus, Parcel
from shop.lib.api import PAGING, Call, Operation, conflict, not_found
from shop.lib.attributes import time_text
from shop.lib.content_schemas import MOMENT, MONEY, TEXT, WHOLE, list_of, maybe, money_content, one_of, page_of, record
from shop.lib.shapes import Counts, Moment, Text
from shop.lib.viewer import Permission

_MOST_LINES = 100
_MOST_OF_A_LINE = 100_000


def orders(call: Call) -> dict[str, Any]:
    """A page of all orders, or of one status, placed in a span of time."""
    cursor, size = call.page
    status = call.query.get("status")
    page = desk_queries.listed_orders(
        status=OrderStatus(status) if status else None,
        since=call.query.get("since"),
        until=call.query.get("until"),
        cursor=cursor,
        oldest_first=call.query.get("sort") == "oldest",
        size=size,
    )
    return call.listed(page, listed_content)


def order(call: Call, order_id: str) -> dict[str, Any]:
    return order_content(_order(order_id))


def ship(call: Call, order_id: str) -> None:
    """Note a parcel that leaves."""
    found = _order(order_id)
    call.matches(order_content(found))
    try:
        services.ship(
            order=found,
            carrier=call.body.get("carrier", ""),
            tracking_number=call.body.get("tracking_number", ""),
            pieces=call.body.get("pieces"),
            actor=call.actor,
            now=call.now,
            claim=call.claim,
        )
    except services.OrderMoved:
        _elsewhere(found)
    except services.NothingToShip:
        left = {line.product_id: line.to_ship for line in found.lines if line.to_ship}
        conflict("Nothing to ship", "The parcel holds more than is still to leave, so nothing was done.", to_ship=left)
    except services.TooManyParcels:
        conflict("Too many parcels", f"An order may have {MOST_PARCELS} parcels: this one has them.")


def deliver(call: Call, order_id: str) -> None:
    """Note that an order has arrived."""
    found = _order(order_id)
    call.matches(order_content(found))
    try:
        services.deliver(order=found, actor=call.actor, now=call.now, claim=call.claim)
    except services.OrderMoved:
        _elsewhere(found)


def listed_content(listed: ListedOrder) -> dict[str, Any]:
    """An order as a list tells it."""
    return {
        "order_id": listed.order_id,
        "status": listed.status,
        "email": listed.email,
        "total": money_content(listed.total),
        "created_at": time_text(listed.placed_at),
    }


def order_content(found: Order) -> dict[str, Any]:
    """An order as other systems read it. What would pay it, or opens it to a shopper, is not in it."""
    address = found.address
    return {
        "order_id": found.order_id,
        "status": found.status,
        "email": found.email,
        "phone": found.phone,
        "address": {
            "name": address.name,
            "street": address.street,
            "street2": address.street2,
            "city": address.city,
            "state": address.state,
            "zip_code": address.zip_code,
            "country": address.country,
        },
        "delivery_method": found.delivery_method,
        "lines": [_line_content(line) for line in found.lines],
        "subtotal": money_content(found.subtotal),
        "tax": money_content(found.tax),
        "shipping": money_content(found.shipping),
        "total": money_content(found.total),
        "payment": {"status": found.payment.status, "refunded": money_content(found.payment.given_back)},
        "invoice_number": found.invoice_number or None,
        "tracking_number": found.tracking_number or None,
        "parcels": [_parcel_content(parcel) for parcel in found.parcels],
        "history": [_history_content(entry) for entry in found.history],
        "created_at": time_text(found.created_at),
        "updated_at": time_text(found.updated_at),
    }


def _line_content(line: OrderLine) -> dict[str, Any]:
    return {
        "product_id": line.product_id,
        "name": line.name,
        "quantity": line.quantity,
        "unit_price": money_content(line.unit_price),
        "refunded": line.refunded,
        "shipped": line.shipped,
        "to_ship": line.to_ship,
    }


def _parcel_content(parcel: Parcel) -> dict[str, Any]:
    return {
        "shipped_at": time_text(parcel.shipped_at),
        "carrier": parcel.carrier,
        "tracking_number": parcel.tracking_number,
        "pieces": dict(parcel.pieces),
    }


def _history_content(entry: HistoryEntry) -> dict[str, Any]:
    return {"status": entry.status, "at": time_text(entry.at), "actor": entry.actor}


def _order(order_id: str) -> Order:
    try:
        return queries.order_by_id(order_id=order_id)
    except queries.OrderNotFound:
        not_found(f"There is no order {order_id}.")


def _elsewhere(found: Order) -> None:
    now = queries.order_by_id(order_id=found.order_id)
    conflict("Not as it stands", f"The order is {now.status}, so nothing was done.", order_status=now.status)


OPERATIONS = (
    Operation(
        name="listOrders",
        method="GET",
        path="/orders",
        summary="Orders, latest first unless told",
        permission=Permission.ORDERS_VIEW,
        answer="OrderPage",
        run=orders,
        query={
            **PAGING,
            "status": Text(about="Only these", one_of=tuple(OrderStatus)),
            "since": Moment(about="Only those placed at this moment or later"),
            "until": Moment(about="Only those placed at this moment or before"),
            "sort": Text(about="Which come first", one_of=("newest", "oldest")),
        },
    ),
    Operation(
        name="getOrder",
        method="GET",
        path="/orders/{order_id}",
        summary="An order",
        permission=Permission.ORDERS_VIEW,
        answer="Order",
        run=order,
    ),
    Operation(
        name="shipParcel",
        method="POST",
        path="/orders/{order_id}/parcels",
        summary="Note a parcel that leaves, whole or in part; the last one makes the order shipped, and its shopper is told",
        permission=Permission.ORDERS_SHIP,
        answer="Order",
        run=ship,
        body={
            "carrier": Text(about="Who carries it", most=40),
            "tracking_number": Text(about="How to follow it", most=60),
            "pieces": Counts(
                about="What is in it, pieces by product id; all that is still to leave unless told",
                most=_MOST_OF_A_LINE,
                most_entries=_MOST_LINES,
            ),
        },
        rows=OrderAnswerRow,
        then=order,
    ),
    Operation(
        name="deliverOrder",
        method="POST",
        path="/orders/{order_id}/delivery",
        summary="Note that a shipped order has arrived",
        permission=Permission.ORDERS_SHIP,
        answer="Order",
        run=deliver,
        rows=OrderAnswerRow,
        then=order,
    ),
)

_LISTED = {"order_id": TEXT, "status": one_of(OrderStatus), "email": TEXT, "total": MONEY, "created_at": MOMENT}
_PIECES = {"type": "object", "additionalProperties": WHOLE}
_LINE = {
    **dict.fromkeys(["product_id", "name"], TEXT),
    **dict.fromkeys(["quantity", "refunded", "shipped", "to_ship"], WHOLE),
    "unit_price": MONEY,
}
_ORDER = {
    **_LISTED,
    "phone": TEXT,
    "address": record(dict.fromkeys(["name", "street", "street2", "city", "state", "zip_code", "country"], TEXT)),
    "delivery_method": TEXT,
    "lines": list_of(record(_LINE)),
    **dict.fromkeys(["subtotal", "tax", "shipping"], MONEY),
    "payment": record({"status": TEXT, "refunded": MONEY}),
    "invoice_number": maybe(TEXT),
    "tracking_number": maybe(TEXT),
    "parcels": list_of(record({"shipped_at": MOMENT, "carrier": TEXT, "tracking_number": TEXT, "pieces": _PIECES})),
    "history": list_of(record({"status": one_of(OrderStatus), "at": MOMENT, "actor": TEXT})),
    "updated_at": MOMENT,
}
SCHEMAS = {"Order": record(_ORDER), "ListedOrder": record(_LISTED), "OrderPage": page_of("ListedOrder")}
