"""What a product is and when it can be bought: pure rules, no storage, no settings."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from shop.lib.money import Money

LOW_STOCK = 5
"""At this many pieces or fewer a product counts as low ("only 3 left")."""


class ProductStatus(StrEnum):
    """Whether shoppers may see a product."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class Availability(StrEnum):
    """What shoppers are told of the stock; changes only when a threshold is crossed."""

    IN_STOCK = "in_stock"
    LOW = "low"
    OUT = "out"


def availability_of(inventory: int) -> Availability:
    """The availability that so many pieces in stock amount to."""
    if inventory <= 0:
        return Availability.OUT
    return Availability.LOW if inventory <= LOW_STOCK else Availability.IN_STOCK


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph as a page needs it: `src` for everybody, `srcset` where several widths exist, else empty."""

    src: str
    srcset: str = ""


@dataclass(frozen=True, slots=True)
class Rating:
    average: Decimal
    count: int


@dataclass(frozen=True, slots=True)
class Card:
    """A product as lists show it: only what the indexes carry."""

    product_id: str
    slug: str
    name: str
    price: Money
    category: str
    sub_category: str
    brand: str
    photos: tuple[Photo, ...]
    availability: Availability
    rating: Rating | None
    created_at: datetime

    @property
    def path(self) -> str:
        """The address of the product's page. Built here: reversing a URL in every card is half a list page's time."""
        return f"/products/{self.product_id}/{self.slug}/"

    @property
    def photo(self) -> Photo | None:
        return self.photos[0] if self.photos else None

    @property
    def second_photo(self) -> Photo | None:
        return self.photos[1] if len(self.photos) > 1 else None

    @property
    def is_sold_out(self) -> bool:
        return self.availability is Availability.OUT

    @property
    def is_low(self) -> bool:
        return self.availability is Availability.LOW


@dataclass(frozen=True, slots=True)
class Product(Card):
    """A product whole, as its own page, the cart and the checkout read it."""

    description: str
    inventory: int
    sku: str
    status: ProductStatus
    updated_at: datetime
    attributes: dict[str, str] = field(default_factory=dict)
    version: int = 0

    @property
    def is_active(self) -> bool:
        return self.status is ProductStatus.ACTIVE

    @property
    def can_be_bought(self) -> bool:
        return self.is_active and self.inventory > 0


@dataclass(frozen=True, slots=True)
class SubCategory:
    name: str
    slug: str


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the shop; `photo` is what home shows for it."""

    name: str
    slug: str
    intro: str
    photo: Photo | None = None

    @property
    def path(self) -> str:
        """The address of the category's shelf; every page links to all of them."""
        return f"/categories/{self.slug}/"
