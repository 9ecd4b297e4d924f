"""What the staff's first page is put together from: each part in a fixed number of questions, each for who may see it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from accounts import queries as accounts
from accounts.domain import Role
from catalog import menu, review_queries, staff_queries
from catalog import queries as catalog
from catalog.domain import Availability
from catalog.searched import searched
from catalog.searched_domain import Searched, found_nothing, most_searched
from orders import desk_queries, ledger_queries, sold_queries
from orders.domain import OrderStatus
from orders.ledger_domain import Figures, Sold
from shop import doctor
from shop.figures import FIGURES, LESS_IS_BETTER, Period, Sums, change, shown, sum_of, sums
from shop.lib.access import Permission, Viewer
from shop.lib.cursors import Page
from shop.lib.kept import MOST_WAITING, kept
from shop.lib.mail_log import MailState

_MOST_COUNTED = MOST_WAITING - 1
"""Things to do are told so far; then they are "25+"."""
_LISTED = 5
"""Lines of each list of the best."""
LED_TO = (Permission.PRODUCTS_VIEW, Permission.CUSTOMERS_VIEW, Permission.ORDERS_VIEW)
"""Rights that decide where figures and lists of the best lead to."""


@dataclass(frozen=True, slots=True)
class Card:
    """A figure of the period beside the one of the period before."""

    name: str
    label: str
    value: str
    before: str
    change: str
    is_better: bool
    is_worse: bool
    detail: str
    url: str
    chart_url: str


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for somebody; `count` is a number or "25+"."""

    label: str
    count: str
    url: str
    is_urgent: bool


@dataclass(frozen=True, slots=True)
class Ranked:
    """A line of a list of the best. `share` is a hundred for the first."""

    name: str
    url: str
    pieces: int
    amount: str
    share: int


@dataclass(frozen=True, slots=True)
class Days:
    """What is known of the days of a period and of those before it, which lie side by side."""

    period: Period
    figures: Mapping[date, Figures]
    customers: Mapping[date, int]

    @property
    def now(self) -> Sums:
        return self._sums(self.period)

    @property
    def before(self) -> Sums:
        return self._sums(self.period.before)

    def value(self, day: date, figure: str) -> int:
        """A day's value of a figure."""
        return sum_of(self.of(day), figure)

    def of(self, day: date) -> Sums:
        """A day's figures."""
        found = self.figures.get(day)
        return sums([found] if found else [], settings.CURRENCY, customers=self.customers.get(day, 0))

    def _sums(self, period: Period) -> Sums:
        found = [self.figures[day] for day in period.days if day in self.figures]
        return sums(found, settings.CURRENCY, customers=sum(self.customers.get(day, 0) for day in period.days))


def days_of(period: Period) -> Days:
    """The figures of a period and of the one before: two queries a month, once a minute."""
    first, last = period.before.first, period.last

    def read() -> tuple[dict[date, Figures], dict[date, int]]:
        figures = ledger_queries.daily_figures(first=first, last=last, currency=settings.CURRENCY)
        return {day.day: day for day in figures}, accounts.registered(first=first, last=last)

    return Days(period, *kept(f"figures-{first}-{last}", read))


def cards(days: Days, viewer: Viewer) -> list[Card]:
    """A card for each figure."""
    now, before = days.now, days.before
    return [_card(name, now, before, days.period, viewer) for name in FIGURES]


def rows(days: Days) -> list[tuple[date, list[tuple[str, str]]]]:
    """The numbers of each day, latest first."""
    return [
        (day, [(label, shown(sum_of(found, name), name, settings.CURRENCY)) for name, label in FIGURES.items()])
        for day, found in ((day, days.of(day)) for day in reversed(days.period.days))
    ]


def best_sold(period: Period, viewer: Viewer) -> tuple[list[Ranked], list[Ranked]]:
    """The best sold by money, and by pieces."""

    def read() -> tuple[list[Sold], list[Sold]]:
        found = sold_queries.best_sold(first=period.first, last=period.last, currency=settings.CURRENCY)
        return _best(found, lambda one: one.revenue.minor), _best(found, lambda one: one.pieces)

    by_money, by_pieces = kept(f"best-{period.first}-{period.last}", read)
    may_open = viewer.may(Permission.PRODUCTS_VIEW)

    def ranked(top: list[Sold], value: Callable[[Sold], int]) -> list[Ranked]:
        most = max(map(value, top), default=1) or 1
        return [
            Ranked(
                name=one.name,
                url=reverse("catalog_staff:product", args=[one.product_id]) if may_open else "",
                pieces=one.pieces,
                amount=str(one.revenue),
                share=round(100 * value(one) / most),
            )
            for one in top
        ]

    return ranked(by_money, lambda one: one.revenue.minor), ranked(by_pieces, lambda one: one.pieces)


def searches(period: Period) -> tuple[tuple[Searched, ...], tuple[Searched, ...]]:
    """What was searched for most, and what was searched for in vain."""

    def read() -> tuple[tuple[Searched, ...], tuple[Searched, ...]]:
        terms = searched(first=period.first, last=period.last)
        return most_searched(terms, most=_LISTED), found_nothing(terms, most=_LISTED)

    return kept(f"searches-{period.first}-{period.last}", read)


def tasks(viewer: Viewer) -> Iterator[Task]:
    """What waits for this person, each counted in one bounded question."""
    if viewer.may(Permission.ORDERS_VIEW):
        for label, status in (("Orders to ship", OrderStatus.PROCESSING), ("Orders to check", OrderStatus.REVIEW)):
            waiting = desk_queries.count_of_status(status, at_most=MOST_WAITING)
            url = f"{reverse('orders_staff:orders')}?{urlencode({'status': status})}"
            yield Task(label, _counted(waiting), url, is_urgent=status is OrderStatus.REVIEW and waiting > 0)
        found = ledger_queries.findings_count()
        yield Task("Things that do not add up", _counted(found), reverse("orders_staff:findings"), is_urgent=found > 0)
    if viewer.may(Permission.PRODUCTS_VIEW):
        for label, stock in (("Products sold out", Availability.OUT), ("Products low in stock", Availability.LOW)):
            count = partial(staff_queries.short_count, stock=stock, at_most=MOST_WAITING)
            url = f"{reverse('catalog_staff:products')}?{urlencode({'stock': stock})}"
            yield Task(label, _counted(kept(f"short-{stock}", count)), url, is_urgent=False)
    if viewer.may(Permission.REVIEWS_MODERATE):
        waiting = review_queries.reviews_waiting()
        yield Task("Reviews to read", _counted(waiting), reverse("catalog_staff:reviews"), is_urgent=False)
    if viewer.may(Permission.MAILS_VIEW):
        yield from _failed_mails()


def first_steps(viewer: Viewer) -> list[tuple[str, str, bool]]:
    """What is left to do before the first sale: words, where to do it (empty: elsewhere), and whether it is done."""
    has_products = bool(catalog.newest(size=1).items)
    has_own_name = settings.INVOICE_SELLER != [settings.SHOP_NAME]
    team = accounts.people(role=Role.STAFF, size=_MOST_COUNTED).items
    has_factor = any(one.user_id == viewer.user_id and one.has_second_factor for one in team)
    return [
        (
            "Name the first category: categories are the menu of the shop",
            reverse("catalog_staff:categories") if viewer.may(Permission.PRODUCTS_EDIT) else "",
            bool(menu.categories()),
        ),
        (
            "Put the first product into the shop",
            reverse("catalog_staff:new_product") if viewer.may(Permission.PRODUCTS_EDIT) else "",
            has_products,
        ),
        ("Say who sells, for invoices, terms and contact (INVOICE_SELLER)", "", has_own_name),
        (
            "Invite whoever packs and helps",
            reverse("accounts_staff:invite") if viewer.may(Permission.STAFF_MANAGE) else "",
            len(team) > 1,
        ),
        ("Add an authenticator to your own account", reverse("accounts:second_factor"), has_factor),
        (
            "Let the set-up doctor look at keys, mail and tables",
            reverse("staff:doctor") if viewer.may(Permission.SETTINGS_EDIT) else "",
            False,
        ),
        ("Buy something with a test card, and refund it", reverse("catalog:home"), False),
    ]


def health(*, host: str, now: datetime) -> list[doctor.Check]:
    """What the set-up doctor finds, as of a minute ago at the most: it asks AWS and Stripe."""
    return kept("health", partial(doctor.examine, host=host, now=now))


def _failed_mails() -> Iterator[Task]:
    """Mails that found no way, for each log that has some; one line when none has."""
    found = {
        "orders": ("Mails about orders that failed", desk_queries.failed_mails),
        "accounts": ("Mails about accounts that failed", accounts.failed_mails),
        "products": ("Mails about products that failed", staff_queries.failed_mails),
    }
    url = reverse("staff:mails")
    is_any = False
    for of, (label, read) in found.items():
        number = kept(f"mails-{of}", partial(_number, read))
        if number:
            is_any = True
            yield Task(label, _counted(number), f"{url}?{urlencode({'of': of, 'state': MailState.FAILED})}", is_urgent=True)
    if not is_any:
        yield Task("Mails that failed", "0", f"{url}?{urlencode({'state': MailState.FAILED})}", is_urgent=False)


def _number(read: Callable[..., Page[Any]]) -> int:
    """How many there are: one more than is counted for more than that."""
    page = read(size=_MOST_COUNTED)
    return len(page.items) + bool(page.next_cursor)


def _best(found: Iterable[Sold], value: Callable[[Sold], int]) -> list[Sold]:
    return sorted(found, key=lambda one: (-value(one), one.product_id))[:_LISTED]


def _card(name: str, now: Sums, before: Sums, period: Period, viewer: Viewer) -> Card:
    value, earlier = sum_of(now, name), sum_of(before, name)
    asked = urlencode({"period": "custom", "first": period.first, "last": period.last})
    is_more, is_less = value > earlier, value < earlier
    said = change(value, earlier)
    is_felt = not said.startswith("about")
    if name in LESS_IS_BETTER:
        is_more, is_less = is_less, is_more
    return Card(
        name=name,
        label=FIGURES[name],
        value=shown(value, name, settings.CURRENCY),
        before=shown(earlier, name, settings.CURRENCY),
        change=said,
        is_better=is_more and is_felt,
        is_worse=is_less and is_felt,
        detail=f"{_some(now.carts, 'cart')}, {_some(now.placed, 'order')}, {now.orders:,} paid" if name == "conversion" else "",
        url=_list_of(name, period, viewer),
        chart_url=f"{reverse('staff:chart', args=[name])}?{asked}",
    )


def _list_of(name: str, period: Period, viewer: Viewer) -> str:
    """The list a figure counts; empty for who may not see it."""
    if name == "customers":
        return reverse("accounts_staff:customers") if viewer.may(Permission.CUSTOMERS_VIEW) else ""
    listed = {"since": period.first.isoformat(), "until": period.last.isoformat()}
    return f"{reverse('orders_staff:orders')}?{urlencode(listed)}" if viewer.may(Permission.ORDERS_VIEW) else ""


def _some(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _counted(number: int) -> str:
    return f"{_MOST_COUNTED}+" if number > _MOST_COUNTED else str(number)
