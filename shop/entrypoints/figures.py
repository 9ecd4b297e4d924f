"""What a change of an order means for the business, as metrics. The exact figures are the shop's own; these are for alarms."""

from typing import Any

from orders.domain import OrderStatus

Image = dict[str, Any] | None
_UNPAID = (OrderStatus.EXPIRED, OrderStatus.CANCELLED)


def of_order(old: Image, new: Image) -> dict[str, float]:
    """The metrics of one change of an order's row: empty for other rows, and when the status stayed or but the owner changed."""
    if new is None or not new.keys() >= {"status", "totals"} or (old is None and "claimedAt" in new):
        return {}
    was, status = (old or {}).get("status", {}).get("S", ""), new["status"]["S"]
    if status == was:
        return {}
    if status == OrderStatus.PENDING and not was:
        return {"OrdersPlaced": 1}
    if status == OrderStatus.PROCESSING:
        return {"OrdersPaid": 1, "Revenue": float(new["totals"]["M"]["total"]["N"])}
    if status in _UNPAID and was == OrderStatus.PENDING:
        return {"OrdersUnpaid": 1}
    return {OrderStatus.REVIEW: {"OrdersForReview": 1.0}, OrderStatus.REFUNDED: {"OrdersRefunded": 1.0}}.get(
        OrderStatus(status), {}
    )
