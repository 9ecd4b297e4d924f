"""Products and stock levels for other systems. What may be done is what staff's pages may do, by the same services."""

from dataclasses import replace
from typing import Any, NoReturn

from catalog import editing, queries, services
from catalog.domain import Availability, Product, ProductStatus, StockReason, availability_of
from catalog.editing_domain import draft_of
from catalog.models import CatalogAnswerRow
from shop.lib.api import PAGING, Call, Operation, conflict, not_found
from shop.lib.attributes import time_text
from shop.lib.content_schemas import MOMENT, MONEY, TEXT, TEXTS, WHOLE, list_of, maybe, money_content, one_of, page_of, record
from shop.lib.cursors import Page
from shop.lib.shapes import Shape, Text, Whole
from shop.lib.viewer import Permission

_MOST_PIECES = 1_000_000
_MOST_GRAMS = 1_000_000
_REASONS = (StockReason.RECEIVED, StockReason.RETURN, StockReason.LOSS, StockReason.ADJUSTMENT)
"""Why another system may move pieces: sales and their ends are the shop's own."""
_FILTERS: dict[str, Shape] = {
    **PAGING,
    "status": Text(about="Only these; active unless told", one_of=tuple(ProductStatus)),
    "sku": Text(about="Only the product of this SKU, whatever its status", most=100),
}
_NOTE = Text(about="A note for the record of stock", most=200)


def products(call: Call) -> dict[str, Any]:
    """A page of products, latest first."""
    return call.listed(_page(call), product_content)


def product(call: Call, product_id: str) -> dict[str, Any]:
    return product_content(_product(product_id))


def change_product(call: Call, product_id: str) -> None:
    """Note what a warehouse and an accounting system know best."""
    found = _product(product_id)
    call.matches(product_content(found))
    draft = replace(draft_of(found), **call.body)
    try:
        editing.save_product(
            product_id=product_id, draft=draft, version=found.version, actor=call.viewer, now=call.now, claim=call.claim
        )
    except editing.ProductMoved:
        conflict("It has changed", "The product changed at this very moment, so nothing was done. Read it again and decide anew.")
    except queries.ProductNotFound:
        _no_product(product_id)


def stock_levels(call: Call) -> dict[str, Any]:
    """A page of stock levels, of the latest product first."""
    return call.listed(_page(call), stock_content)


def stock_level(call: Call, product_id: str) -> dict[str, Any]:
    return stock_content(_product(product_id))


def set_stock(call: Call, product_id: str) -> None:
    """Set the stock to a counted number."""
    _move(call, product_id, absolute=call.body["inventory"], reason=StockReason.ADJUSTMENT)


def adjust_stock(call: Call, product_id: str) -> None:
    """Move pieces in or out."""
    _move(call, product_id, change=call.body["change"], reason=StockReason(call.body["reason"]))


def _move(call: Call, product_id: str, *, reason: StockReason, change: int | None = None, absolute: int | None = None) -> None:
    found = _product(product_id)
    is_bound = call.matches(stock_content(found))
    try:
        services.adjust_stock(
            product_id=product_id,
            reason=reason,
            actor=call.actor,
            now=call.now,
            note=call.body.get("note", ""),
            seen=found.inventory if is_bound else None,
            claim=call.claim,
            change=change,
            absolute=absolute,
        )
    except services.NotEnoughStock as refused:
        conflict("Not enough in stock", f"There are {refused.left}, so nothing was taken out.", inventory=refused.left)
    except services.StockMoved:
        conflict("It has changed", "The stock changed at this very moment, so nothing was done. Read it again and decide anew.")
    except queries.ProductNotFound:
        _no_product(product_id)


def product_content(found: Product) -> dict[str, Any]:
    """A product as other systems read it."""
    rating = found.rating
    return {
        "product_id": found.product_id,
        "sku": found.sku,
        "name": found.name,
        "path": found.path,
        "description": found.description,
        "price": money_content(found.price),
        "compare_at_price": money_content(found.compare_at_price) if found.compare_at_price else None,
        "category": found.category,
        "sub_category": found.sub_category,
        "brand": found.brand,
        "status": found.status,
        "inventory": found.inventory,
        "attributes": found.attributes,
        "weight": found.weight,
        "tax_class": found.tax_class or None,
        "family": found.family or None,
        "options": found.options,
        "images": [photo.src for photo in found.photos],
        "rating": {"average": str(rating.average), "count": rating.count} if rating else None,
        "created_at": time_text(found.created_at),
        "updated_at": time_text(found.updated_at),
    }


def stock_content(found: Product) -> dict[str, Any]:
    """A stock level. Nothing in it changes unless the stock does, so that its version is the stock's."""
    return {
        "product_id": found.product_id,
        "sku": found.sku,
        "inventory": found.inventory,
        "availability": availability_of(found.inventory),
    }


def _page(call: Call) -> Page[Product]:
    cursor, size = call.page
    sku = call.query.get("sku")
    if sku is not None:
        found = queries.product_with_sku(sku=sku)
        return Page((found,) if found else ())
    status = ProductStatus(call.query.get("status", ProductStatus.ACTIVE))
    return queries.products_by_status(status=status, cursor=cursor, size=size)


def _product(product_id: str) -> Product:
    try:
        return queries.product(product_id=product_id, consistent=True)
    except queries.ProductNotFound:
        _no_product(product_id)


def _no_product(product_id: str) -> NoReturn:
    not_found(f"There is no product {product_id}.")


OPERATIONS = (
    Operation(
        name="listProducts",
        method="GET",
        path="/products",
        summary="Products, latest first",
        permission=Permission.PRODUCTS_VIEW,
        answer="ProductPage",
        run=products,
        query=_FILTERS,
    ),
    Operation(
        name="getProduct",
        method="GET",
        path="/products/{product_id}",
        summary="A product",
        permission=Permission.PRODUCTS_VIEW,
        answer="Product",
        run=product,
    ),
    Operation(
        name="changeProduct",
        method="PATCH",
        path="/products/{product_id}",
        summary="Change a product's weight and tax class",
        permission=Permission.PRODUCTS_EDIT,
        answer="Product",
        run=change_product,
        body={
            "weight": Whole(about="Grams, packed", least=0, most=_MOST_GRAMS),
            "tax_class": Text(about="Its class in the tax rules, such as books; empty for the ordinary one", least=0, most=40),
        },
        rows=CatalogAnswerRow,
        then=product,
    ),
    Operation(
        name="listStock",
        method="GET",
        path="/stock",
        summary="Stock levels, of the latest product first",
        permission=Permission.PRODUCTS_VIEW,
        answer="StockPage",
        run=stock_levels,
        query=_FILTERS,
    ),
    Operation(
        name="getStock",
        method="GET",
        path="/stock/{product_id}",
        summary="The stock of a product",
        permission=Permission.PRODUCTS_VIEW,
        answer="Stock",
        run=stock_level,
    ),
    Operation(
        name="setStock",
        method="PUT",
        path="/stock/{product_id}",
        summary="Set the stock to a counted number",
        permission=Permission.STOCK_EDIT,
        answer="Stock",
        run=set_stock,
        body={
            "inventory": Whole(about="Pieces that were counted", least=0, most=_MOST_PIECES, is_required=True),
            "note": _NOTE,
        },
        rows=CatalogAnswerRow,
        then=stock_level,
    ),
    Operation(
        name="adjustStock",
        method="POST",
        path="/stock/{product_id}/adjustments",
        summary="Move pieces in or out of stock",
        permission=Permission.STOCK_EDIT,
        answer="Stock",
        run=adjust_stock,
        body={
            "change": Whole(about="Pieces in; out when below zero", least=-_MOST_PIECES, most=_MOST_PIECES, is_required=True),
            "reason": Text(about="Why", one_of=_REASONS, is_required=True),
            "note": _NOTE,
        },
        rows=CatalogAnswerRow,
        then=stock_level,
    ),
)

_PRODUCT = {
    **dict.fromkeys(["product_id", "sku", "name", "path", "description", "category", "sub_category", "brand"], TEXT),
    "price": MONEY,
    "compare_at_price": maybe(MONEY),
    "status": one_of(ProductStatus),
    "inventory": WHOLE,
    "attributes": TEXTS,
    "weight": maybe(WHOLE),
    "tax_class": maybe(TEXT),
    "family": maybe(TEXT),
    "options": TEXTS,
    "images": list_of(TEXT),
    "rating": maybe(record({"average": TEXT, "count": WHOLE})),
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
_STOCK = {"product_id": TEXT, "sku": TEXT, "inventory": WHOLE, "availability": one_of(Availability)}
SCHEMAS = {
    "Product": record(_PRODUCT),
    "ProductPage": page_of("Product"),
    "Stock": record(_STOCK),
    "StockPage": page_of("Stock"),
}
