"""What follows when an order's row changed. Records may come twice; every effect is claimed once."""

from datetime import datetime
from typing import Any

from orders import mails
from orders.domain import OrderStatus
from orders.models import EffectRow, OrderRow, order_sk, to_order
from shop.lib.once import once


def order_changed(old: dict[str, Any] | None, new: dict[str, Any] | None, *, now: datetime) -> None:
    """Mail the confirmation when an order was paid. `old` and `new` are the item before and after, as the stream has them.

    Raises InProgress while another run is at the same effect, and what the mail backend raises: the record shall come again.
    """
    if new is None or not new["SK"]["S"].startswith(order_sk("")):
        return
    was = (old or {}).get("status", {}).get("S")
    if new["status"]["S"] == OrderStatus.PROCESSING and was != OrderStatus.PROCESSING:
        order = to_order(OrderRow.from_raw_data(new))
        with once(EffectRow, f"{order.order_id}#mail-confirmation", now=now) as is_ours:
            if is_ours:
                mails.send_confirmation(order)
