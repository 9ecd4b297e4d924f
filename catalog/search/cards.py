"""A card as an index stores it, a short JSON list since a page unpacks 24 of them; and a whole document as the journal has it."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from catalog.domain import Availability, Card, Photo, Rating
from catalog.search.engine import Document, Listed
from shop.lib.money import Money

_UPDATED_AT = 12


def pack(document: Document) -> str:
    """What `card_of` and `listed_of` need of the document."""
    return json.dumps(_parts(document), ensure_ascii=False, separators=(",", ":"))


def _parts(document: Document) -> list[Any]:
    card = document.card
    return [
        card.product_id,
        card.slug,
        card.name,
        card.price.minor,
        card.price.currency,
        card.category,
        card.sub_category,
        card.brand,
        [[photo.src, photo.srcset] for photo in card.photos],
        card.availability,
        [str(card.rating.average), card.rating.count] if card.rating else None,
        card.created_at.isoformat(),
        document.updated_at.isoformat(),
        card.compare_at_price.minor if card.compare_at_price else None,
    ]


def card_of(packed: str | bytes) -> Card:
    """The card that was packed, equal to the one it was."""
    (
        product_id,
        slug,
        name,
        minor,
        currency,
        category,
        sub_category,
        brand,
        photos,
        availability,
        rating,
        created_at,
        _,
        *later,
    ) = json.loads(packed)
    # A card packed before there were old prices has none.
    compare_at = later[0] if later else None
    return Card(
        product_id=product_id,
        slug=slug,
        name=name,
        price=Money(minor, currency),
        category=category,
        sub_category=sub_category,
        brand=brand,
        photos=tuple(Photo(src, srcset) for src, srcset in photos),
        availability=Availability(availability),
        rating=Rating(Decimal(rating[0]), rating[1]) if rating else None,
        created_at=datetime.fromisoformat(created_at),
        compare_at_price=Money(compare_at, currency) if compare_at else None,
    )


def listed_of(packed: str | bytes) -> Listed:
    """The sitemap's line of what was packed."""
    return Listed(card_of(packed).path, _updated_at(json.loads(packed)))


def document_parts(document: Document) -> dict[str, Any]:
    """The whole document in JSON's types."""
    whole = {"description": document.description, "sku": document.sku, "attributes": dict(document.attributes)}
    return {"card": _parts(document), **whole}


def document_from(parts: dict[str, Any]) -> Document:
    """The document whose parts these are, equal to the one it was."""
    packed = json.dumps(parts["card"])
    updated_at = _updated_at(parts["card"])
    return Document(card_of(packed), parts["description"], parts["sku"], parts["attributes"], updated_at)


def _updated_at(parts: list[Any]) -> datetime:
    return datetime.fromisoformat(parts[_UPDATED_AT])
