"""The day's best sold products, ranked anew while orders come: what the dashboard reads instead of every product."""

from datetime import datetime, timedelta

from django.conf import settings

from orders import ledger_queries, sold_queries
from orders.ledger_domain import best_of
from orders.sold_models import to_best_row


def rank_sold(*, now: datetime) -> int:
    """Rank yesterday's and today's products if orders came since they were ranked; how many days were.

    The count of orders is read before the pieces: an order that comes in between is ranked with the next run at the latest.
    Overlapping runs may overwrite a later ranking with an earlier one, whose smaller count the next run sees.
    """
    first, last, currency = (now - timedelta(days=1)).date(), now.date(), settings.CURRENCY
    figures = ledger_queries.daily_figures(first=first, last=last, currency=currency)
    ranked = sold_queries.orders_ranked(first=first, last=last, currency=currency) if figures else {}
    due = [day for day in figures if day.orders != ranked.get(day.day, 0)]
    for day in due:
        best = best_of(sold_queries.sold_on(day=day.day, currency=currency))
        to_best_row(day.day, currency, orders=day.orders, best=best).save()
    return len(due)
