"""Staff pages that belong to no single app: the dashboard, its charts and its look at the shop's health."""

from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from orders import desk_queries
from orders.staff_views import order_row
from shop import charts, dashboard
from shop.dashboard import Days, days_of
from shop.doctor import State
from shop.figures import COUNTS, FIGURES, BadPeriod, Period, custom_period, named_period
from shop.lib.access import Permission, Viewer, confirmed_viewer_of, require_staff
from shop.lib.clock import utc_now
from shop.lib.kept import kept
from shop.lib.money import digits

_LATEST = 8
_PERIODS = {"today": "Today", "7": "7 days", "30": "30 days"}
_SIZES = {"wide": (960, 260), "phone": (360, 220)}
"""Width and height of the large chart, by where it is shown."""


@require_safe
@require_staff()
def home(request: HttpRequest) -> HttpResponse:
    """The dashboard: each part only for who may see what it shows."""
    viewer = confirmed_viewer_of(request)
    context: dict[str, Any] = {
        "tasks": list(dashboard.tasks(viewer)),
        "may_examine": viewer.may(Permission.SETTINGS_EDIT),
    }
    if viewer.may(Permission.FIGURES_VIEW):
        context["figures"] = _figures(request, viewer)
    if viewer.may(Permission.ORDERS_VIEW):
        latest = desk_queries.listed_orders(status=None, size=_LATEST).items
        context["latest"] = [order_row(one) for one in latest]
        if not latest:
            context["first_steps"] = dashboard.first_steps(viewer)
    return render(request, "staff/home.html", context)


@require_safe
@require_staff(Permission.SETTINGS_EDIT)
def health(request: HttpRequest) -> HttpResponse:
    """What the set-up doctor says in a line, for the dashboard, which does not wait for it."""
    found = dashboard.health(host=request.get_host(), now=utc_now())
    sick = [check for check in found if check.state in (State.BAD, State.WARN)]
    context = {"checks": found, "sick": sick, "is_bad": any(check.state is State.BAD for check in sick)}
    return render(request, "staff/health.html", context)


@require_safe
@require_staff(Permission.FIGURES_VIEW)
def chart(request: HttpRequest, figure: str) -> HttpResponse:
    """A figure day by day as a picture: small for a card, or large with the period before."""
    if figure not in FIGURES:
        raise Http404("no such figure")
    period, _ = _period(request)
    days, size = days_of(period), _SIZES.get(request.GET.get("size", ""))
    labels = [f"{day:%b} {day.day}" for day in period.days]
    if size is None:
        return charts.picture(charts.bars(_values(days, period, figure), labels, title=FIGURES[figure]))
    now, before = _values(days, period, figure), _values(days, period.before, figure)
    return charts.picture(charts.lines(now, before, labels, title=FIGURES[figure], width=size[0], height=size[1]))


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


def _figures(request: HttpRequest, viewer: Viewer) -> str:
    """The figures, drawn once a minute for everybody with the same rights: as often as they are read."""
    period, problem = _period(request)
    if problem:
        return _drawn(period, problem, viewer)
    rights = "".join(str(int(viewer.may(right))) for right in dashboard.LED_TO)
    return kept(f"drawn-{period.name}-{period.first}-{period.last}-{rights}", partial(_drawn, period, "", viewer))


def _drawn(period: Period, problem: str, viewer: Viewer) -> str:
    days = days_of(period)
    by_money, by_pieces = dashboard.best_sold(period, viewer)
    found, in_vain = dashboard.searches(period)
    first, *rest = dashboard.cards(days, viewer)
    context = {
        "period": period,
        "problem": problem,
        "periods": [(label, f"?period={name}", name == period.name) for name, label in _PERIODS.items()],
        "main": first,
        "cards": rest,
        "rows": dashboard.rows(days),
        "figures": list(FIGURES.values()),
        "by_money": by_money,
        "by_pieces": by_pieces,
        "searches": found,
        "in_vain": in_vain,
    }
    return render_to_string("staff/figures.html", context)


def _values(days: Days, period: Period, figure: str) -> list[float]:
    """In what people count in: whole money, percent, things."""
    scale = 1 if figure in COUNTS else 10 if figure == "conversion" else 10 ** digits(settings.CURRENCY)
    return [days.value(day, figure) / scale for day in period.days]
