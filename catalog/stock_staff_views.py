"""Staff pages of stock: the grid, what went in and out of one product, and lines pasted from a spreadsheet."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog import menu, queries, services, staff_queries
from catalog.domain import Availability, Listed, Product, StockReason
from catalog.models import CatalogAnswerRow
from catalog.product_staff_views import SHORTAGES
from catalog.staff_lists import ListForm, list_page_urls, list_url
from catalog.stock_forms import NoNumber, PasteForm, WhyForm, Wish
from shop.lib.access import Permission, confirmed_viewer_of, require_staff, viewer_of
from shop.lib.addresses import address_of
from shop.lib.answers import Repeated
from shop.lib.clock import utc_now
from shop.lib.cursors import page_urls
from shop.lib.http import local_path, see_other
from shop.lib.presses import claim_of_press, new_press
from shop.lib.viewer import Viewer

_TABS = {None: "All for sale", Availability.LOW: "Low", Availability.OUT: "Sold out"}
_WORDS = {
    StockReason.RECEIVED: "Received",
    StockReason.SALE: "Sold",
    StockReason.RELEASE: "Order not paid",
    StockReason.RETURN: "Came back",
    StockReason.LOSS: "Lost or broken",
    StockReason.ADJUSTMENT: "Counted anew",
}


@require_safe
@require_staff(Permission.PRODUCTS_VIEW)
def stock(request: HttpRequest) -> HttpResponse:
    """The grid. A number typed beside a product is its new count, one with a sign an amount."""
    asked, here = ListForm(request.GET).asked(), reverse("catalog_staff:stock")
    found = staff_queries.find_products(asked)
    context = {
        "rows": [_grid_row(product) for product in found.products],
        "asked": asked,
        "tabs": [
            (label, list_url(here, replace(asked, stock=kind, cursor="", page=1)), kind is asked.stock)
            for kind, label in _TABS.items()
        ],
        "categories": [category.name for category in menu.categories()],
        "press": new_press(),
        **_why_fields(),
        "here": request.get_full_path(),
        "may_edit": viewer_of(request).may(Permission.STOCK_EDIT),
        **list_page_urls(here, asked, found),
    }
    return render(request, "staff/catalog/stock.html", context)


@cache
def _why_fields() -> dict[str, str]:
    """The grid's reason and note, drawn once: nobody's differ, and Django takes its time over them."""
    form = WhyForm()
    return {"reason": str(form["reason"]), "note": str(form["note"])}


def _grid_row(product: Listed) -> dict[str, str]:
    """A product as the grid draws it, in words, for the same reason as in the list of products."""
    badge, shortage = SHORTAGES.get(product.availability, ("", ""))
    return {
        "field": f"stock.{product.product_id}.{product.inventory}",
        "url": address_of("catalog_staff:movements", product.product_id),
        "name": product.name,
        "sku": product.sku,
        "inventory": str(product.inventory),
        "shortage": shortage,
        "shortage_badge": badge,
    }


@require_POST
@require_staff(Permission.STOCK_EDIT)
def change(request: HttpRequest) -> HttpResponse:
    form = WhyForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was changed: choose a reason, and keep the note to one line.")
        return see_other(_back(request))
    wishes = [Row(product_id, text, seen) for product_id, seen, text in form.wishes()]
    names = {
        found.product_id: found.name for found in queries.products(product_ids=[row.product_id for row in wishes[:100]]).values()
    }
    _tell(request, _apply(wishes, form, confirmed_viewer_of(request)), names)
    return see_other(_back(request))


@dataclass(frozen=True, slots=True)
class Row:
    """A wish for one product, on the stock its writer saw."""

    product_id: str
    text: str
    seen: int


@dataclass(slots=True)
class Done:
    """What came of some wishes: how many products were changed, how many before by the same press, and why others were not."""

    changed: int = 0
    repeated: int = 0
    problems: dict[str, str] = field(default_factory=dict)


def _apply(wishes: Sequence[Row], form: WhyForm, actor: Viewer) -> Done:
    done, problems = Done(), {}
    for row in wishes:
        try:
            wish = Wish.of(row.text)
            now = utc_now()
            moved = services.adjust_stock(
                product_id=row.product_id,
                reason=form.cleaned_data["reason"],
                note=form.cleaned_data["note"],
                by=actor,
                actor=actor.user_id,
                now=now,
                claim=claim_of_press(
                    CatalogAnswerRow,
                    who=actor.user_id,
                    press=form.cleaned_data["press"],
                    what=f"{row.product_id} {row.text}",
                    now=now,
                ),
                change=wish.number if wish.is_amount else None,
                absolute=None if wish.is_amount else wish.number,
                seen=None if wish.is_amount else row.seen,
            )
            done.changed += moved is not None
        except Repeated:
            done.repeated += 1
        except NoNumber:
            problems[row.product_id] = f"“{row.text[:20]}” is no number such as 12, +5 or -3"
        except services.StockMoved as found:
            problems[row.product_id] = f"the stock changed meanwhile and is {found.left} now; count again"
        except services.NotEnoughStock as short:
            problems[row.product_id] = f"there are only {short.left}"
        except queries.ProductNotFound:
            problems[row.product_id] = "it is no more"
    done.problems = problems
    return done


def _tell(request: HttpRequest, done: Done, names: dict[str, str]) -> None:
    problems = done.problems
    if done.changed:
        messages.success(request, f"The stock of {done.changed} product{'' if done.changed == 1 else 's'} is changed.")
    if done.repeated:
        messages.info(request, "The button was pressed twice: what was changed the first time was not changed again.")
    for product_id, why in list(problems.items())[:5]:
        messages.warning(request, f"{names.get(product_id, product_id)} is left as it was: {why}.")
    if len(problems) > 5:  # noqa: PLR2004 - a cookie carries but a few
        messages.warning(request, f"So are {len(problems) - 5} more.")
    if not (done.changed or done.repeated or problems):
        messages.info(request, "Nothing was different, so nothing was changed.")


@require_safe
@require_staff(Permission.PRODUCTS_VIEW)
def movements(request: HttpRequest, product_id: str) -> HttpResponse:
    """What went in and out of a product's stock."""
    try:
        found = queries.product(product_id=product_id, consistent=True)
    except queries.ProductNotFound:
        raise Http404("no such product") from None
    page = queries.stock_movements(product_id=product_id, cursor=request.GET.get("cursor", "")[:1000])
    here = reverse("catalog_staff:movements", args=[product_id])
    context = {
        "product": found,
        "rows": [(movement, _WORDS[movement.reason]) for movement in page.items],
        "form": WhyForm(),
        "here": here,
        "may_edit": viewer_of(request).may(Permission.STOCK_EDIT),
        **page_urls(page, here),
    }
    return render(request, "staff/catalog/movements.html", context)


@dataclass(frozen=True, slots=True)
class Line:
    """A pasted line: what it would do, or what is wrong with it."""

    number: int
    sku: str
    text: str
    product: Product | None = None
    problem: str = ""
    seen: int = 0

    @property
    def after(self) -> int:
        return Wish.of(self.text).after(self.seen)


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.STOCK_EDIT)
def paste(request: HttpRequest) -> HttpResponse:
    """First a look at what the lines would do; then, sent with what it showed, they are done."""
    form = PasteForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
        return render(request, "staff/catalog/stock_paste.html", {"form": form}, status=status)
    lines = _lines(form.cleaned_data["lines"])
    good = [line for line in lines if not line.problem]
    if "apply" in request.POST:
        wishes = [Row(line.product.product_id, line.text, line.seen) for line in good if line.product]
        names = {line.product.product_id: line.product.name for line in good if line.product}
        _tell(request, _apply(wishes, form, confirmed_viewer_of(request)), names)
        return see_other(reverse("catalog_staff:stock"))
    context = {
        "form": form,
        "good": good,
        "bad": [line for line in lines if line.problem],
        "again": "\n".join(f"{line.sku}\t{line.text}\t{line.seen}" for line in good),
    }
    return render(request, "staff/catalog/stock_paste.html", context)


def _lines(rows: Sequence[Sequence[str]]) -> list[Line]:
    by_sku = staff_queries.products_of_skus(skus=[row[0] for row in rows])
    lines: list[Line] = []
    used: set[str] = set()
    for number, row in enumerate(rows, start=1):
        sku, text, seen, *_ = *row, "", ""
        lines.append(_line(number, sku, text, seen, by_sku.get(sku), is_again=sku in used))
        used.add(sku)
    return lines


def _line(number: int, sku: str, text: str, seen: str, found: Product | None, *, is_again: bool) -> Line:
    try:
        wish = Wish.of(text)
    except NoNumber:
        problem = (
            f"“{text[:20]}” is no number such as 12, +5 or -3" if text else "a tab or ; between the SKU and the number is missing"
        )
        return Line(number, sku, text, problem=problem)
    if found is None:
        return Line(number, sku, text, problem="no product has this SKU")
    if is_again:
        return Line(number, sku, text, problem="this SKU stands in an earlier line")
    known = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else found.inventory  # noqa: PLR2004 - a text, not yet a number
    if wish.after(known) < 0:
        return Line(number, sku, text, problem=f"there are only {known}")
    return Line(number, sku, text, product=found, seen=known)


def _back(request: HttpRequest) -> str:
    return local_path(request.POST.get("next", ""), default=reverse("catalog_staff:stock"))
