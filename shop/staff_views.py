"""Staff pages that belong to no single app: the dashboard and its charts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog import queries as catalog
from catalog import review_queries, staff_queries
from catalog.domain import Availability
from orders import desk_queries, ledger_queries
from orders.domain import OrderStatus
from orders.ledger_domain import Figures
from orders.staff_views import STATUS_LABELS
from shop import charts
from shop.figures import (
    FIGURES,
    BadPeriod,
    Period,
    Sums,
    change,
    custom_period,
    named_period,
    sums,
    value_of,
)
from shop.lib.access import Permission, Viewer, confirmed_viewer_of, require_staff
from shop.lib.clock import utc_now
from shop.lib.money import Money, digits

_MOST_COUNTED = 25
"""Things to do are counted so far; then they are "25+"."""
_LATEST = 8
_PERIODS = {"today": "Today", "7": "7 days", "30": "30 days"}


@dataclass(frozen=True, slots=True)
class Card:
    """A figure of the period beside the one of the period before."""

    name: str
    label: str
    value: str
    before: str
    change: str
    url: str
    chart_url: str


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for somebody; `count` is a number or "25+"."""

    label: str
    count: str
    url: str
    is_urgent: bool


@require_safe
@require_staff()
def home(request: HttpRequest) -> HttpResponse:
    """The dashboard: each part only for who may see what it shows."""
    viewer = confirmed_viewer_of(request)
    context: dict[str, Any] = {"tasks": list(_tasks(viewer))}
    if viewer.may(Permission.FIGURES_VIEW):
        context |= _figures(request, viewer)
    if viewer.may(Permission.ORDERS_VIEW):
        latest = desk_queries.listed_orders(status=None, size=_LATEST).items
        context["latest"] = [{"order": one, "status": STATUS_LABELS[one.status]} for one in latest]
        if not latest:
            context["first_steps"] = _first_steps(viewer)
    return render(request, "staff/home.html", context)


@require_safe
@require_staff(Permission.FIGURES_VIEW)
def chart(request: HttpRequest, figure: str) -> HttpResponse:
    """A figure, a bar a day, as a picture."""
    if figure not in FIGURES:
        raise Http404("no such figure")
    period, _ = _period(request)
    by_day = {day.day: day for day in _days(period)}
    scale = 1 if figure in ("orders", "failed") else 10 ** digits(settings.CURRENCY)
    values = [value_of(by_day.get(day), figure) / scale for day in period.days]
    return charts.picture(charts.bars(values, [_short(day) for day in period.days], title=FIGURES[figure]))


class PeriodForm(forms.Form):
    """The days to look at."""

    first = forms.DateField(required=False)
    last = forms.DateField(required=False)


def _period(request: HttpRequest) -> tuple[Period, str]:
    """The period asked for, and what is wrong with it; then it is the last seven days."""
    today = utc_now().date()
    name = request.GET.get("period", "")
    if name != "custom":
        return named_period(name, today=today), ""
    form = PeriodForm(request.GET)
    form.is_valid()
    try:
        return custom_period(form.cleaned_data.get("first"), form.cleaned_data.get("last"), today=today), ""
    except BadPeriod as problem:
        return named_period("7", today=today), f"{problem} These are the last seven days."


def _days(period: Period) -> tuple[Figures, ...]:
    return ledger_queries.daily_figures(first=period.first, last=period.last, currency=settings.CURRENCY)


def _figures(request: HttpRequest, viewer: Viewer) -> dict[str, Any]:
    period, problem = _period(request)
    # One question for both periods, which lie side by side.
    days = _days(Period(period.before.first, period.last))
    now = sums((day for day in days if day.day >= period.first), settings.CURRENCY)
    before = sums((day for day in days if day.day < period.first), settings.CURRENCY)
    by_day = {day.day: day for day in days}
    return {
        "period": period,
        "problem": problem,
        "periods": [(label, f"?period={name}", name == period.name) for name, label in _PERIODS.items()],
        "cards": [_card(name, now, before, period, viewer) for name in FIGURES],
        "rows": [(day, _row(by_day.get(day))) for day in reversed(period.days)],
        "figures": list(FIGURES.values()),
    }


def _row(day: Figures | None) -> list[tuple[str, str]]:
    return [(label, _shown(value_of(day, name), name)) for name, label in FIGURES.items()]


def _card(name: str, now: Sums, before: Sums, period: Period, viewer: Viewer) -> Card:
    value, earlier = _sum_of(now, name), _sum_of(before, name)
    asked = urlencode({"period": "custom", "first": period.first, "last": period.last})
    listed = {"since": period.first.isoformat(), "until": period.last.isoformat()}
    return Card(
        name=name,
        label=FIGURES[name],
        value=_shown(value, name),
        before=_shown(earlier, name),
        change=change(value, earlier),
        url=f"{reverse('orders_staff:orders')}?{urlencode(listed)}" if viewer.may(Permission.ORDERS_VIEW) else "",
        chart_url=f"{reverse('staff:chart', args=[name])}?{asked}",
    )


def _sum_of(found: Sums, name: str) -> int:
    values: dict[str, int | Money] = {
        "sales": found.sales,
        "orders": found.orders,
        "average": found.average,
        "refunds": found.refunded,
        "failed": found.failed,
    }
    value = values[name]
    return value.minor if isinstance(value, Money) else value


def _shown(value: int, name: str) -> str:
    return str(value) if name in ("orders", "failed") else str(Money(value, settings.CURRENCY))


def _short(day: date) -> str:
    return f"{day:%b} {day.day}"


def _tasks(viewer: Viewer) -> Iterator[Task]:
    """What waits for this person, each counted in one bounded question."""
    if viewer.may(Permission.ORDERS_VIEW):
        for label, status in (("Orders to ship", OrderStatus.PROCESSING), ("Orders to check", OrderStatus.REVIEW)):
            page = desk_queries.listed_orders(status=status, oldest_first=True, size=_MOST_COUNTED)
            count = f"{_MOST_COUNTED}+" if page.next_cursor else str(len(page.items))
            url = f"{reverse('orders_staff:orders')}?{urlencode({'status': status})}"
            yield Task(label, count, url, is_urgent=status is OrderStatus.REVIEW and bool(page.items))
        found = len(ledger_queries.findings())
        yield Task("Things that do not add up", _counted(found), reverse("orders_staff:findings"), is_urgent=found > 0)
    if viewer.may(Permission.PRODUCTS_VIEW):
        for label, stock in (("Products sold out", Availability.OUT), ("Products low in stock", Availability.LOW)):
            short = staff_queries.short_count(stock=stock, at_most=_MOST_COUNTED + 1)
            url = f"{reverse('catalog_staff:products')}?{urlencode({'stock': stock})}"
            yield Task(label, _counted(short), url, is_urgent=False)
    if viewer.may(Permission.REVIEWS_MODERATE):
        waiting = review_queries.reviews_waiting(at_most=_MOST_COUNTED + 1)
        yield Task("Reviews to read", _counted(waiting), reverse("catalog_staff:reviews"), is_urgent=False)


def _counted(number: int) -> str:
    return f"{_MOST_COUNTED}+" if number > _MOST_COUNTED else str(number)


def _first_steps(viewer: Viewer) -> list[tuple[str, str, bool]]:
    """What is left to do before the first sale: words, where to do it (empty: elsewhere), and whether it is done."""
    has_products = bool(catalog.newest(size=1).items)
    has_own_name = settings.INVOICE_SELLER != [settings.SHOP_NAME]
    return [
        (
            "Put the first product into the shop",
            reverse("catalog_staff:new_product") if viewer.may(Permission.PRODUCTS_EDIT) else "",
            has_products,
        ),
        ("Say who sells, for the invoices (INVOICE_SELLER)", "", has_own_name),
        (
            "Invite whoever packs and helps",
            reverse("accounts_staff:invite") if viewer.may(Permission.STAFF_MANAGE) else "",
            False,
        ),
    ]
