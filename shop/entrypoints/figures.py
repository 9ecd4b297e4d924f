"""What a change of an order means for the business, as metrics. The exact figures are the shop's own; these are for alarms."""

from typing import Any

from orders.domain import OrderStatus

Image = dict[str, Any] | None
_ONCE = (OrderStatus.PROCESSING, OrderStatus.REFUNDED)
"""An order is paid once and refunded once, however often it is looked at in between; each look is for a person anew."""
_NAMES = {OrderStatus.REVIEW: "OrdersForReview", OrderStatus.REFUNDED: "OrdersRefunded"}
_UNPAID = (OrderStatus.EXPIRED, OrderStatus.CANCELLED)


def of_order(old: Image, new: Image) -> dict[str, float]:
    """The metrics of one change of an order's row: empty for other rows, and when but the owner changed."""
    if new is None or not new.keys() >= {"status", "totals"} or (old is None and "claimedAt" in new):
        return {}
    was, status = (old or {}).get("status", {}).get("S", ""), new["status"]["S"]
    if status == was:
        refused = _failures(new) - _failures(old)
        return {"FailedPayments": refused} if refused > 0 else {}
    if status == OrderStatus.PENDING and not was:
        return {"OrdersPlaced": 1}
    if status in _ONCE and _has_been(old, status):
        return {}
    if status == OrderStatus.PROCESSING:
        return {"OrdersPaid": 1, "Revenue": float(new["totals"]["M"]["total"]["N"])}
    name = "OrdersUnpaid" if status in _UNPAID and was == OrderStatus.PENDING else _NAMES.get(OrderStatus(status), "")
    return {name: 1} if name else {}


def _failures(image: Image) -> int:
    """How many cards were refused."""
    return int((image or {}).get("payment", {}).get("M", {}).get("failures", {}).get("N", 0))


def _has_been(old: Image, status: str) -> bool:
    """Whether the order stood there before: accepted after a review it is not paid a second time."""
    history = (old or {}).get("history", {}).get("L", [])
    return any(entry["M"]["status"]["S"] == status for entry in history)
