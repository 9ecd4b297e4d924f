"""What staff write of a product, what changed in it, how two people's changes meet, and why nobody can buy it: pure rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from decimal import Decimal

from catalog.domain import Product, ProductStatus
from shop.lib.money import Money

_WHOLE = Decimal(100)


@dataclass(frozen=True, slots=True)
class Draft:
    """What staff write of a product, in the order of the editor. Stock and photographs have doors of their own."""

    name: str
    slug: str
    description: str
    brand: str
    price: Money
    compare_at_price: Money | None
    category: str
    sub_category: str
    sku: str
    weight: int | None = None
    tax_class: str = ""
    family: str = ""
    options: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    status: ProductStatus = ProductStatus.DRAFT
    publish_at: datetime | None = None


FIELDS = tuple(one.name for one in fields(Draft))
LABELS = {"sku": "SKU", "sub_category": "Subcategory", "compare_at_price": "Old price", "slug": "Address"}


def label_of(name: str) -> str:
    """What a field is called on pages."""
    words = name.replace("_", " ")
    return LABELS.get(name, words[:1].upper() + words[1:])


def blank_draft(currency: str) -> Draft:
    """What the page for a new product begins with."""
    return Draft(
        name="",
        slug="",
        description="",
        brand="",
        price=Money.zero(currency),
        compare_at_price=None,
        category="",
        sub_category="",
        sku="",
    )


def draft_of(product: Product) -> Draft:
    """What is written of a product now."""
    return Draft(**{name: getattr(product, name) for name in FIELDS})


def texts_of(draft: Draft) -> dict[str, str]:
    """Every field as a reader reads it; two drafts say the same where their texts are equal."""
    return {name: _text(getattr(draft, name)) for name in FIELDS}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Money):
        return f"{value.amount:f} {value.currency}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {text}" for key, text in value.items())
    return str(value)


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that two people changed at the same time, or one of them: what it was, and what each made of it."""

    name: str
    before: str
    mine: str
    theirs: str

    @property
    def label(self) -> str:
        return label_of(self.name)

    @property
    def is_conflict(self) -> bool:
        """Whether both changed it, and not to the same."""
        return self.before not in (self.mine, self.theirs) and self.mine != self.theirs


def merged(seen: Mapping[str, str], mine: Draft, theirs: Draft) -> tuple[Draft, tuple[Difference, ...]]:
    """What becomes of a draft when somebody saved another one since: fields I did not touch are theirs, others stay mine.

    `seen` are the texts of what I began with; a field missing there counts as touched. With it, every field that either changed.
    """
    my_texts, their_texts = texts_of(mine), texts_of(theirs)
    differences = tuple(
        Difference(name, seen.get(name, ""), my_texts[name], their_texts[name])
        for name in FIELDS
        if len({seen.get(name, ""), my_texts[name], their_texts[name]}) > 1
    )
    untouched = {name: getattr(theirs, name) for name in FIELDS if seen.get(name) == my_texts[name]}
    return replace(mine, **untouched), differences


def priced_by(price: Money, percent: Decimal) -> Money:
    """A price so many percent higher (lower, below zero), rounded half up to the smallest coin."""
    return price.times((_WHOLE + percent) / _WHOLE)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that keeps shoppers from buying a product, or from finding or wanting it."""

    words: str
    fix: str
    anchor: str = ""
    """The part of the editor that mends it."""


def obstacles(product: Product, *, currency: str, categories: Iterable[str], is_listed: bool | None) -> tuple[Obstacle, ...]:
    """Why nobody can buy the product, the reasons that stop a sale first. `is_listed`: whether the index has it, if known."""
    return tuple(
        obstacle
        for holds, obstacle in (
            *_stops(product, currency),
            (
                product.category not in set(categories),
                Obstacle(f"No category of the menu is called “{product.category}”.", "Choose one", "category"),
            ),
            (not product.photos, Obstacle("It has no photograph.", "Add one", "photographs")),
            (not product.description, Obstacle("It has no description.", "Write one", "id_description")),
            (
                product.is_active and is_listed is False,
                Obstacle(
                    "Lists and search do not show it yet. That takes up to a minute after a change.",
                    "Look again then; if it stays, build the search index anew",
                ),
            ),
        )
        if holds
    )


def _stops(product: Product, currency: str) -> tuple[tuple[bool, Obstacle], ...]:
    waits = product.publish_at is not None and not product.is_active
    when = _text(product.publish_at)
    return (
        (waits, Obstacle(f"It is a draft until {when}.", "Publish it now", "publishing")),
        (not product.is_active and not waits, Obstacle(f"Its status is {product.status}.", "Make it active", "publishing")),
        (product.inventory <= 0, Obstacle("There is none in stock.", "Add pieces", "stock")),
        (
            product.price.currency != currency,
            Obstacle(f"Its price is in {product.price.currency}, and the shop sells in {currency}.", "Set a price", "id_price"),
        ),
    )
