"""What a product is and when it can be bought: pure rules, no storage, no settings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from shop.lib.money import Money

_TENTH = Decimal("0.1")
LOW_STOCK = 5
"""At this many pieces or fewer a product counts as low ("only 3 left")."""

MOST_RECENT = 8
"""So many of the products a visitor looked at last are remembered."""

WISH_LIFETIME = timedelta(days=365)
"""So long somebody waits for a sold-out product."""


class ProductStatus(StrEnum):
    """Whether shoppers may see a product: an active one alone."""

    ACTIVE = "active"
    DRAFT = "draft"
    """Being written; may have a time at which it becomes active."""
    INACTIVE = "inactive"
    """Hidden by another system; staff treat it like a draft."""
    ARCHIVED = "archived"
    """Not sold any more, kept for its orders and its history."""


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


class StockReason(StrEnum):
    """Why pieces went in or out of stock."""

    RECEIVED = "received"
    SALE = "sale"
    RELEASE = "release"
    """An order that was never paid gave its pieces back."""
    RETURN = "return"
    """Pieces of a paid order came back."""
    LOSS = "loss"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class StockMovement:
    """A change of a product's stock; all of a product's add up to its `inventory`."""

    movement_id: str
    product_id: str
    change: int
    reason: StockReason
    actor: str
    at: datetime
    order_id: str = ""
    note: str = ""
    actor_name: str = ""
    """Who `actor` was called then; empty for shoppers and for what the shop did by itself."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph as a page needs it: `src` for everybody, `srcset` where several widths exist, else empty."""

    src: str
    srcset: str = ""
    alt: str = ""
    """What it shows, for who cannot see it; empty where nobody wrote it. Lists go without: a card's name says it."""

    @property
    def large(self) -> str:
        """The widest there is, for looking closely."""
        return self.srcset.rpartition(", ")[2].partition(" ")[0] or self.src


@dataclass(frozen=True, slots=True)
class Rating:
    """What buyers think of a product: `average` of 5 stars, to a hundredth."""

    average: Decimal
    count: int

    @property
    def shown(self) -> str:
        """The average as shoppers read it, such as 4.8."""
        return str(self.average.quantize(_TENTH, ROUND_HALF_UP))


def product_path(product_id: str, slug: str) -> str:
    """The address of a product's page. Built here: reversing a URL in every card is half a list page's time."""
    return f"/products/{product_id}/{slug}/"


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
    compare_at_price: Money | None = field(default=None, kw_only=True)
    """What the product cost before, or costs elsewhere; shown only where it is more than the price, see `old_price`."""

    @property
    def old_price(self) -> Money | None:
        """The higher price to show struck through beside the price; None where there is no reduction to speak of."""
        return _old_price(self.price, self.compare_at_price)

    @property
    def saving(self) -> Money | None:
        """How much less it costs than before."""
        return self.old_price - self.price if self.old_price else None

    @property
    def path(self) -> str:
        """The address of the product's page."""
        return product_path(self.product_id, self.slug)

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
    family: str = ""
    """The family of products that differ only by an option, such as the colour; empty for a product of its own."""
    options: dict[str, str] = field(default_factory=dict)
    """What tells this product from its family: option name to value, such as colour to Sand."""
    tax_class: str = ""
    """Its class in the tax rules, such as books; empty for the ordinary one."""
    weight: int | None = None
    """In grams, packed; none where nobody weighed it."""
    publish_at: datetime | None = None
    """When a draft becomes active by itself."""

    @property
    def is_active(self) -> bool:
        return self.status is ProductStatus.ACTIVE

    @property
    def shortage(self) -> Availability | None:
        """Low or out, where shoppers meet it; None for a product that has enough or is not for sale."""
        now = availability_of(self.inventory)
        return now if self.is_active and now is not Availability.IN_STOCK else None

    @property
    def reviews_path(self) -> str:
        """The address of all its reviews."""
        return f"{self.path}reviews/"

    @property
    def can_be_bought(self) -> bool:
        return self.is_active and self.inventory > 0


@dataclass(frozen=True, slots=True)
class Listed:
    """A product as staff's lists show it: with its stock, without its texts."""

    product_id: str
    name: str
    sku: str
    brand: str
    category: str
    price: Money
    compare_at_price: Money | None
    photo: Photo | None
    inventory: int
    status: ProductStatus
    publish_at: datetime | None

    @property
    def old_price(self) -> Money | None:
        """As a Card's."""
        return _old_price(self.price, self.compare_at_price)

    @property
    def availability(self) -> Availability:
        return availability_of(self.inventory)


def _old_price(price: Money, old: Money | None) -> Money | None:
    return old if old is not None and old.currency == price.currency and price < old else None


def looked_at(product_id: str, before: Sequence[str]) -> tuple[str, ...]:
    """The ids of what a visitor looked at, last first, after looking at one more."""
    return tuple(dict.fromkeys([product_id, *before]))[:MOST_RECENT]


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody who wants to be told that a sold-out product is back; one of earlier days has no end."""

    email: str
    ends_at: datetime | None

    def is_over(self, now: datetime) -> bool:
        return self.ends_at is not None and self.ends_at <= now


@dataclass(frozen=True, slots=True)
class Sibling:
    """A member of a family, as far as choosing between them goes."""

    product_id: str
    slug: str
    options: dict[str, str]
    availability: Availability

    @property
    def path(self) -> str:
        return product_path(self.product_id, self.slug)


@dataclass(frozen=True, slots=True)
class OptionValue:
    """A value of an option; `path` leads to a product that has it. Sold out also where that very combination is not made."""

    value: str
    path: str
    is_current: bool
    is_sold_out: bool


@dataclass(frozen=True, slots=True)
class OptionControl:
    """An option to choose by, such as the colour."""

    name: str
    values: tuple[OptionValue, ...]


def option_controls(product: Product, siblings: Sequence[Sibling]) -> tuple[OptionControl, ...]:
    """A control for each option that differs within the family, given its active members.

    Choosing a value keeps the other options as they are where such a product is made; where it is not, it leads to the member
    with that value that shares the most of the other options.
    """
    controls = []
    for name, current in product.options.items():
        values = tuple(dict.fromkeys(sibling.options[name] for sibling in siblings if name in sibling.options))
        if len(values) > 1:
            controls.append(
                OptionControl(name, tuple(_option_value(product, siblings, name, value, current) for value in values))
            )
    return tuple(controls)


def _option_value(product: Product, siblings: Sequence[Sibling], name: str, value: str, current: str) -> OptionValue:
    wanted = product.options | {name: value}
    having = [sibling for sibling in siblings if sibling.options.get(name) == value]
    nearest = max(having, key=lambda sibling: sum(sibling.options.get(key) == wanted[key] for key in wanted))
    is_made = all(nearest.options.get(key) == wanted[key] for key in wanted)
    is_sold_out = not is_made or nearest.availability is Availability.OUT
    return OptionValue(value, nearest.path, value == current, is_sold_out)


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
