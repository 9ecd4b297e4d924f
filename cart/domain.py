"""The cart's arithmetic and limits: pure rules. docs/pricing.md explains them with worked examples."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cart.delivery_domain import NO_OFFERS, DeliveryMethod, FreeDelivery, Offers
from cart.discount_domain import Discount
from cart.totals_domain import Priced, Totals
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.places import HOME_COUNTRY, country_in_words

MAX_QUANTITY = 99
"""Most pieces of one product in a cart; larger orders are a conversation, not a click."""
MAX_LINES = 40
"""Most different products in a cart: with the order, its reference and the cart they fit one DynamoDB transaction (100)."""
MOST_RESTORED = 20
"""So many orders whose lines came back are remembered on a cart; a click repeated after more of them is no click repeated."""
LIFETIME = timedelta(days=30)
"""A cart nobody touches for this long is gone (the `expiresAt` of the table)."""


class CartState(StrEnum):
    """An open cart can change; one that became an order cannot."""

    OPEN = "open"
    CHECKED_OUT = "checked_out"


class Change(StrEnum):
    """What happened to a line's product since the shopper last saw the line."""

    PRICE_ROSE = "price_rose"
    PRICE_FELL = "price_fell"
    SHORT = "short"
    SOLD_OUT = "sold_out"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Item:
    """One kept line: what the shopper chose, and the name, price and picture shown at that moment."""

    product_id: str
    name: str
    quantity: int
    price_seen: Money
    image: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class KeptCart:
    """A cart as it is stored. `version` is 0 for a cart that was never written.

    `order_id` is the order this cart or, while it is open, the owner's last one became, `order_due_at` until when that order
    waits to be paid, `order_owner` whose it is when they placed it as a guest. `restored` names the orders whose lines were put
    back into it, `code` is the discount code entered.
    """

    cart_id: str
    items: tuple[Item, ...]
    state: CartState
    version: int
    expires_at: datetime
    order_id: str | None = None
    order_due_at: datetime | None = None
    order_owner: Owner | None = None
    restored: tuple[str, ...] = ()
    code: str = ""

    @property
    def count(self) -> int:
        return sum(item.quantity for item in self.items)

    def has_order_that_may_wait(self, now: datetime) -> bool:
        """Whether the order it names may be waiting to be paid."""
        return bool(self.order_id) and self.order_due_at is not None and now < self.order_due_at


@dataclass(frozen=True, slots=True)
class Line:
    """A line priced from the catalogue as it is now. `quantity` is what is asked for, `available` what there is."""

    product_id: str
    name: str
    path: str
    photo_src: str
    photo_srcset: str
    quantity: int
    available: int
    unit_price: Money
    price_seen: Money
    changes: tuple[Change, ...] = ()
    tax_class: str = ""
    grams: int = 0
    """What one piece weighs, as far as is known."""

    @property
    def priced(self) -> Priced:
        """The line as far as arithmetic goes."""
        return Priced(self.unit_price, self.quantity, self.tax_class)

    @property
    def amount(self) -> Money:
        return self.unit_price * self.quantity

    @property
    def most(self) -> int:
        """The largest quantity the shopper may choose."""
        return max(1, min(self.available, MAX_QUANTITY))

    @property
    def is_all_there_is(self) -> bool:
        """Whether the line holds every piece we have."""
        return self.counts and self.quantity == self.available

    @property
    def is_most_we_sell(self) -> bool:
        """Whether the line holds as many as a cart may, though there are more."""
        return self.counts and self.quantity >= MAX_QUANTITY < self.available

    @property
    def counts(self) -> bool:
        """Whether the line is part of the totals: there is something of it to buy."""
        return not {Change.SOLD_OUT, Change.GONE} & set(self.changes)

    @property
    def blocks_checkout(self) -> bool:
        return bool({Change.SHORT, Change.SOLD_OUT, Change.GONE} & set(self.changes))


@dataclass(frozen=True, slots=True)
class Mark:
    """What other pages show of a cart: its pieces, and of one product those `in_cart` and how many `more` could be added."""

    count: int
    in_cart: int = 0
    more: int = 0


def changes_of(item: Item, *, price: Money, available: int, is_for_sale: bool) -> tuple[Change, ...]:
    """What the shopper must be told of a line, given its product as it is now."""
    if not is_for_sale:
        return (Change.GONE,)
    changes = []
    if available <= 0:
        changes.append(Change.SOLD_OUT)
    elif available < item.quantity:
        changes.append(Change.SHORT)
    if item.price_seen < price:
        changes.append(Change.PRICE_ROSE)
    elif price < item.price_seen:
        changes.append(Change.PRICE_FELL)
    return tuple(changes)


@dataclass(frozen=True, slots=True)
class Merged:
    """Two lots of lines made one. `left_out` names what found no room, `lowered` are lines of fewer pieces than the sum."""

    items: tuple[Item, ...]
    left_out: tuple[str, ...] = ()
    lowered: tuple[Item, ...] = ()


def merge_items(present: tuple[Item, ...], more: tuple[Item, ...], *, most: Mapping[str, int]) -> Merged:
    """Add lines to those that are there; none of those is made less.

    Quantities add up to what `most` says of the product, and to MAX_QUANTITY without its word.
    """
    asked: dict[str, int] = {}
    for item in more:
        asked[item.product_id] = asked.get(item.product_id, 0) + item.quantity
    have = {item.product_id for item in present}
    added = list({item.product_id: item for item in more if item.product_id not in have}.values())
    room = max(0, MAX_LINES - len(present))
    items, lowered = [], []
    for item in (*present, *added[:room]):
        before = item.quantity if item.product_id in have else 0
        wanted = before + asked.get(item.product_id, 0)
        line = replace(item, quantity=max(before, min(wanted, most.get(item.product_id, MAX_QUANTITY))))
        items.append(line)
        if line.quantity < wanted:
            lowered.append(line)
    return Merged(tuple(items), tuple(item.name for item in added[room:]), tuple(lowered))


def with_at_least(present: tuple[Item, ...], wanted: tuple[Item, ...], *, most: Mapping[str, int]) -> Merged:
    """The lines that are there, none made less, and of each wanted product at least as many as wanted: asked twice, the same.

    Quantities go up to what `most` says of the product.
    """
    have = {item.product_id: item.quantity for item in present}
    lacking = tuple(
        replace(item, quantity=item.quantity - have.get(item.product_id, 0))
        for item in wanted
        if item.quantity > have.get(item.product_id, 0)
    )
    return merge_items(present, lacking, most=most)


def adopt_items(present: tuple[Item, ...], guests: tuple[Item, ...], *, most: Mapping[str, int]) -> Merged:
    """The lines of somebody's cart and of the one they filled before signing in: added up, and no line above what `most` says.

    It does not matter which of the two had how many of a product.
    """
    merged = merge_items(present, guests, most=most)
    items = tuple(replace(item, quantity=min(item.quantity, most.get(item.product_id, MAX_QUANTITY))) for item in merged.items)
    asked: dict[str, int] = {}
    for item in (*present, *guests):
        asked[item.product_id] = asked.get(item.product_id, 0) + item.quantity
    return Merged(items, merged.left_out, tuple(item for item in items if item.quantity < asked[item.product_id]))


@dataclass(frozen=True, slots=True)
class Buyer:
    """What prices depend on beside the goods: where they go, how, and who buys. Unknown is home, the cheapest way, nobody.

    `customers` are the names under which uses of a discount code are counted for the buyer.
    """

    country: str = HOME_COUNTRY
    region: str = ""
    delivery: str = ""
    customers: tuple[str, ...] = ()

    @property
    def country_in_words(self) -> str:
        return country_in_words(self.country)


NOBODY = Buyer()


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart priced for showing: kept lines met with today's catalogue."""

    cart_id: str
    version: int
    lines: tuple[Line, ...]
    totals: Totals
    order_id: str = ""
    """The order the owner's last cart became."""
    order_due_at: datetime | None = None
    """Until when that order waited to be paid, at most."""
    order_owner: Owner | None = None
    """Whose that order is, when the owner placed it as a guest."""
    buyer: Buyer = NOBODY
    """For whom it is priced."""
    offers: Offers = NO_OFFERS
    delivery: DeliveryMethod | None = None
    """What `totals` are for: the way the buyer chose, or the cheapest there is."""
    free_delivery: FreeDelivery | None = None
    code: str = ""
    """The discount code in the cart; `discount` are its terms if it holds, else `why_no_discount` says why not."""
    discount: Discount | None = None
    why_no_discount: str = ""

    @property
    def count(self) -> int:
        """Pieces in the cart, as the badge shows."""
        return sum(line.quantity for line in self.lines)

    @property
    def is_delivery_chosen(self) -> bool:
        """Whether the buyer chose a way of sending these goods can go."""
        return self.delivery is not None and self.delivery.code == self.buyer.delivery

    @property
    def is_undeliverable(self) -> bool:
        """Whether these goods can go in no way to where they are priced for."""
        return self.delivery is None and bool(self.lines)

    @property
    def is_empty(self) -> bool:
        return not self.lines

    @property
    def has_changes(self) -> bool:
        return any(line.changes for line in self.lines)

    @property
    def can_check_out(self) -> bool:
        return bool(self.lines) and not any(line.blocks_checkout for line in self.lines)
