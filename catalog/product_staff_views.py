"""Staff pages of products: the list, several at once, and the editor."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog import index_queries, menu, queries, services, staff_queries
from catalog.domain import Availability, Listed, Product, ProductStatus
from catalog.editing_domain import Difference, Draft, blank_draft, draft_of, merged, obstacles, priced_by, texts_of
from catalog.photos import upload_origin
from catalog.staff_forms import Bulk, ProductForm
from catalog.staff_lists import ListForm, list_page_urls, list_url
from catalog.staff_queries import Asked, Tab
from shop.lib.access import Permission, confirmed_viewer_of, require_staff, viewer_of
from shop.lib.addresses import address_of
from shop.lib.clock import utc_now
from shop.lib.csp import content_security_policy
from shop.lib.http import see_other
from shop.lib.money import Money

_TABS = {Tab.ACTIVE: "Active", Tab.DRAFTS: "Drafts", Tab.ARCHIVED: "Archived"}
_BADGES = {
    ProductStatus.ACTIVE: "is-good",
    ProductStatus.DRAFT: "is-warn",
    ProductStatus.INACTIVE: "is-warn",
    ProductStatus.ARCHIVED: "",
}
SHORTAGES = {Availability.LOW: ("is-warn", "Low"), Availability.OUT: ("is-bad", "Sold out")}
"""How staff's lists mark what is low or sold out: the badge's class and its word."""
_DONE = {"activate": "made active", "archive": "archived", "category": "moved", "price": "priced anew"}


@require_safe
@require_staff(Permission.PRODUCTS_VIEW, with_filters=True)
def products(request: HttpRequest) -> HttpResponse:
    asked, here = ListForm(request.GET).asked(), reverse("catalog_staff:products")
    found = staff_queries.find_products(asked)
    context = {
        "found": found,
        "rows": [_row(product) for product in found.products],
        "asked": asked,
        "tabs": [
            (label, list_url(here, replace(asked, tab=tab, cursor="", page=1)), tab is asked.tab) for tab, label in _TABS.items()
        ],
        "categories": [category.name for category in menu.categories()],
        "is_filtered": asked.is_filtered,
        "no_filter_url": list_url(here, Asked(tab=asked.tab)),
        "may_edit": viewer_of(request).may(Permission.PRODUCTS_EDIT),
        "actions": Bulk.ACTIONS,
        **list_page_urls(here, asked, found),
    }
    return render(request, "staff/catalog/products.html", context)


def _row(product: Listed) -> dict[str, Any]:
    """A product as the list draws it, in words: a template that asks for them row by row costs more than reading the rows."""
    photo, at = product.photo, product.publish_at
    badge, shortage = SHORTAGES.get(product.availability, ("", ""))
    return {
        "id": product.product_id,
        "url": address_of("catalog_staff:product", product.product_id),
        "name": product.name,
        "hint": f"{product.sku} · {product.brand}" if product.brand else product.sku,
        "src": photo.src if photo else "",
        "srcset": photo.srcset if photo else "",
        "category": product.category,
        "price": str(product.price),
        "old_price": str(product.old_price or ""),
        "inventory": str(product.inventory),
        "shortage": shortage,
        "shortage_badge": badge,
        "status": product.status.capitalize(),
        "badge": _BADGES[product.status],
        "publish_at": f"{at:%b} {at.day}, {at:%H:%M}" if at else "",
    }


@dataclass(frozen=True, slots=True)
class Planned:
    """One product of several: what is to become of it."""

    product: Product
    draft: Draft
    words: str


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.PRODUCTS_EDIT)
def bulk(request: HttpRequest) -> HttpResponse:
    """First the page that says what would change; then, posted with what it showed, the change."""
    names = [category.name for category in menu.categories()]
    form = Bulk(request.POST if request.method == "POST" else request.GET, categories=names)
    if not form.is_valid():
        for problem in {str(error) for errors in form.errors.values() for error in errors}:
            messages.error(request, f"Nothing was changed: {problem}")
        return see_other(reverse("catalog_staff:products"))
    found = queries.products(product_ids=form.chosen, consistent=True)
    if not found:
        messages.error(request, "Tick the products first, then choose what to do with them.")
        return see_other(reverse("catalog_staff:products"))
    plan = [_planned(form, product) for product in found.values()]
    if request.method != "POST":
        context = {
            "form": form,
            "plan": [entry for entry in plan if entry.words],
            "same": [entry for entry in plan if not entry.words],
            "action": dict(Bulk.ACTIONS)[form.cleaned_data["action"]],
        }
        return render(request, "staff/catalog/products_bulk.html", context)
    return _change_all(request, form, plan)


def _planned(form: Bulk, product: Product) -> Planned:
    draft = draft_of(product)
    match form.cleaned_data["action"]:
        case "activate":
            draft = replace(draft, status=ProductStatus.ACTIVE, publish_at=None)
            return Planned(product, draft, "" if product.is_active else f"{product.status} → active")
        case "archive":
            draft = replace(draft, status=ProductStatus.ARCHIVED, publish_at=None)
            return Planned(product, draft, "" if product.status is draft.status else f"{product.status} → archived")
        case "category":
            if product.category == form.cleaned_data["category"]:
                return Planned(product, draft, "")
            draft = replace(draft, category=form.cleaned_data["category"], sub_category="")
            return Planned(product, draft, f"{product.category} → {draft.category}")
        case _:
            price = priced_by(product.price, Decimal(form.cleaned_data["percent"]))
            price = price if price else Money(1, price.currency)
            return Planned(product, replace(draft, price=price), "" if price == product.price else f"{product.price} → {price}")


def _change_all(request: HttpRequest, form: Bulk, plan: Sequence[Planned]) -> HttpResponse:
    actor, now, seen = confirmed_viewer_of(request), utc_now(), form.seen
    done, moved = 0, []
    for entry in plan:
        if not entry.words:
            continue
        version = seen.get(entry.product.product_id, -1)
        try:
            services.save_product(product_id=entry.product.product_id, draft=entry.draft, version=version, actor=actor, now=now)
            done += 1
        except (services.ProductMoved, queries.ProductNotFound):
            moved.append(entry.product.name)
    if done:
        messages.success(request, f"{done} product{'' if done == 1 else 's'} {_DONE[form.cleaned_data['action']]}.")
    if moved:
        messages.warning(request, f"Somebody changed these meanwhile, so they were left alone: {', '.join(moved)}.")
    return see_other(reverse("catalog_staff:products"))


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.PRODUCTS_EDIT)
def new(request: HttpRequest) -> HttpResponse:
    now, draft = utc_now(), blank_draft(settings.CURRENCY)
    form = _form(request.POST if request.method == "POST" else None, draft, now)
    if form.is_valid():
        try:
            made = services.create_from_draft(draft=form.written, actor=confirmed_viewer_of(request), now=now)
        except services.SkuTaken as taken:
            form.add_error("sku", f"Another product has the SKU {taken.sku}.")
        else:
            messages.success(request, f"{made.name} is there. Now its photographs, and its stock.")
            return see_other(_editor_url(made))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "staff/catalog/product.html", {"form": form, "is_new": True}, status=status)


@require_safe
@require_staff(Permission.PRODUCTS_VIEW)
def product(request: HttpRequest, product_id: str) -> HttpResponse:
    """The editor. Who may not edit sees the same page and cannot save it."""
    found = _product_or_404(product_id)
    return _editor(request, found, _form(None, draft_of(found), utc_now()))


@require_POST
@require_staff(Permission.PRODUCTS_EDIT)
def save(request: HttpRequest, product_id: str) -> HttpResponse:
    found, now = _product_or_404(product_id), utc_now()
    form = _form(request.POST, draft_of(found), now)
    if not form.is_valid():
        return _editor(request, found, form)
    version = form.cleaned_data["version"] or 0
    try:
        saved = services.save_product(
            product_id=product_id, draft=form.written, version=version, actor=confirmed_viewer_of(request), now=now
        )
    except services.SkuTaken as taken:
        form.add_error("sku", f"Another product has the SKU {taken.sku}.")
        return _editor(request, found, form)
    except services.ProductMoved as moved:
        return _conflict(request, moved.product, form, now)
    except queries.ProductNotFound:
        raise Http404("no such product") from None
    is_changed = saved.version != version
    messages.success(request, f"{saved.name} is saved." if is_changed else "Nothing was different, so nothing was saved.")
    if "then_next" in request.POST:
        return see_other(reverse("catalog_staff:products"))
    return see_other(_editor_url(saved))


@require_POST
@require_staff(Permission.PRODUCTS_EDIT)
def duplicate(request: HttpRequest, product_id: str) -> HttpResponse:
    try:
        copy = services.duplicate_product(product_id=product_id, actor=confirmed_viewer_of(request), now=utc_now())
    except queries.ProductNotFound:
        raise Http404("no such product") from None
    messages.success(request, "This is the copy: a draft, with none in stock. Give it its own name and SKU.")
    return see_other(_editor_url(copy))


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.PRODUCTS_EDIT)
def delete(request: HttpRequest, product_id: str) -> HttpResponse:
    """Ask first; and offer the archive where the product was sold."""
    found = _product_or_404(product_id)
    if request.method == "POST":
        version = request.POST.get("version", "")
        seen = int(version) if version.isascii() and version.isdigit() else -1
        try:
            services.remove_product(product_id=product_id, version=seen, actor=confirmed_viewer_of(request), now=utc_now())
        except services.WasSold:
            messages.warning(request, "It was sold meanwhile, so it stays. You can archive it.")
        except services.ProductMoved:
            messages.warning(request, "Somebody changed it meanwhile, so it was not deleted. Look at it again.")
        except queries.ProductNotFound:
            messages.warning(request, f"Somebody else was quicker: {found.name} is deleted already.")
            return see_other(reverse("catalog_staff:products"))
        else:
            messages.success(request, f"{found.name} is deleted.")
            return see_other(reverse("catalog_staff:products"))
        return see_other(_editor_url(found))
    context = {"product": found, "was_sold": staff_queries.was_sold(product_id=product_id)}
    return render(request, "staff/catalog/product_delete.html", context)


def _editor_url(of: Product) -> str:
    return reverse("catalog_staff:product", args=[of.product_id])


def _product_or_404(product_id: str) -> Product:
    try:
        return queries.product(product_id=product_id, consistent=True)
    except queries.ProductNotFound:
        raise Http404("no such product") from None


def _form(data: QueryDict | None, draft: Draft, now: datetime) -> ProductForm:
    return ProductForm(data, draft=draft, now=now, categories=[category.name for category in menu.categories()])


def _conflict(request: HttpRequest, theirs: Product, form: ProductForm, now: datetime) -> HttpResponse:
    """Both versions, and a form that holds what would come of both: saving it is the choice of who looks at it."""
    draft, differences = merged(form.seen_texts, form.written, draft_of(theirs))
    again = _form(None, draft, now)
    return _editor(request, theirs, again, differences=differences, status=HTTPStatus.CONFLICT)


def _editor(
    request: HttpRequest,
    found: Product,
    form: ProductForm,
    *,
    differences: Sequence[Difference] = (),
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    if form.errors:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    may_edit = viewer_of(request).may(Permission.PRODUCTS_EDIT)
    listed = {card.product_id for card in index_queries.cards_of(product_ids=[found.product_id])}
    context: dict[str, Any] = {
        "product": found,
        "form": form,
        "badge": _BADGES[found.status],
        "may_edit": may_edit,
        "differences": differences,
        # What the writer begins with: kept over a mistake, and theirs after a conflict.
        "version": form.data.get("version") if form.is_bound else found.version,
        "seen": form.data.get("seen") if form.is_bound else json.dumps(texts_of(draft_of(found))),
        "obstacles": obstacles(
            found,
            currency=settings.CURRENCY,
            categories=[category.name for category in menu.categories()],
            is_listed=found.product_id in listed if index_queries.listed_count() else None,
        ),
        "photos": staff_queries.stored_photos(found),
        "entries": staff_queries.changes_of(product_id=found.product_id),
        "origin": settings.SITE_ORIGIN,
    }
    response = render(request, "staff/catalog/product.html", context, status=status)
    response.headers["Content-Security-Policy"] = content_security_policy(upload_origin=upload_origin())
    return response
