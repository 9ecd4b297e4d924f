"""What search engines and link previews are told of a page."""

import json
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from catalog.domain import Availability
from catalog.review_domain import ShownProduct, ShownReview

_SCHEMA = "https://schema.org"
# What could end a script element or start markup, written so that JSON reads the same: as Django's own json_script does.
_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


def product_data(shown: ShownProduct) -> SafeString:
    """The product with its offer, rating and latest reviews as JSON-LD.

    https://developers.google.com/search/docs/appearance/structured-data/product
    """
    product = shown.product
    is_there = product.availability is not Availability.OUT
    data: dict[str, Any] = {
        "@context": _SCHEMA,
        "@type": "Product",
        "name": product.name,
        "sku": product.sku,
        "description": product.description,
        "brand": {"@type": "Brand", "name": product.brand},
        "category": product.category,
        "image": [absolute(photo.src) for photo in product.photos],
        "offers": {
            "@type": "Offer",
            "url": absolute(product.path),
            "price": str(product.price.amount),
            "priceCurrency": product.price.currency,
            "availability": f"{_SCHEMA}/{'InStock' if is_there else 'OutOfStock'}",
            "itemCondition": f"{_SCHEMA}/NewCondition",
        },
    }
    if product.rating:
        data["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": str(product.rating.average),
            "ratingCount": product.rating.count,
        }
    if shown.reviews.latest:
        data["review"] = [_review_data(review) for review in shown.reviews.latest]
    return _script_text(data)


def _review_data(review: ShownReview) -> dict[str, Any]:
    titled = {"name": review.words.title} if review.words.title else {}
    return titled | {
        "@type": "Review",
        "author": {"@type": "Person", "name": review.words.author},
        "datePublished": f"{review.created_at:%Y-%m-%d}",
        "reviewBody": review.words.text,
        "reviewRating": {"@type": "Rating", "ratingValue": review.words.stars, "bestRating": 5, "worstRating": 1},
    }


def breadcrumb_data(trail: list[tuple[str, str]], own_path: str) -> SafeString:
    """The way to a page as JSON-LD; the last step is the page itself."""
    return _script_text(
        {
            "@context": _SCHEMA,
            "@type": "BreadcrumbList",
            "itemListElement": [
                {"@type": "ListItem", "position": place, "name": name, "item": absolute(path or own_path)}
                for place, (name, path) in enumerate(trail, start=1)
            ],
        }
    )


def absolute(path: str) -> str:
    """The address on the shop's one origin; a foreign address as it stands."""
    return path if path.startswith(("https://", "http://")) else f"{settings.SITE_ORIGIN}{path}"


def _script_text(data: dict[str, Any]) -> SafeString:
    return mark_safe(json.dumps(data, ensure_ascii=False).translate(_ESCAPES))  # noqa: S308 - nothing in it can end the element
