"""What a cart or an order costs: pure arithmetic. docs/pricing.md explains it with worked examples."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, pairwise

from cart.discount_domain import AppliedDiscount
from cart.tax_domain import TaxRule
from shop.lib.money import Money, total


@dataclass(frozen=True, slots=True)
class Priced:
    """Pieces of one product as far as arithmetic goes."""

    unit_price: Money
    quantity: int
    tax_class: str = ""

    @property
    def amount(self) -> Money:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Totals:
    """What an order costs. Refuses to exist unless its parts add up.

    `tax` is all tax, `delivery_tax` the part of it that is the delivery's; included, it is contained in the other figures.
    """

    subtotal: Money
    tax: Money
    shipping: Money
    total: Money
    discount: AppliedDiscount | None = None
    tax_included: bool = False
    delivery_tax: Money | None = None

    def __post_init__(self) -> None:
        added = self.tax if not self.tax_included else Money.zero(self.tax.currency)
        off = self.discount.goods if self.discount else Money.zero(self.tax.currency)
        if self.subtotal - off + added + self.shipping != self.total:
            raise ValueError(f"{self.subtotal} - {off} + {added} + {self.shipping} is not {self.total}")


def totals_of(lines: Sequence[Priced], *, rule: TaxRule, shipping: Money, discount: AppliedDiscount | None = None) -> Totals:
    """The totals of lines, sent for `shipping` (a discount's part of it taken off already).

    Tax is rounded half-up once for all goods of one rate, and once for the delivery. An empty cart costs nothing, delivery
    included.
    """
    currency = shipping.currency
    subtotal = total((line.amount for line in lines), currency)
    if not lines:
        shipping, discount = Money.zero(currency), None
    off = discount.goods if discount else Money.zero(currency)
    delivery_tax = rule.tax_of(shipping, rule.delivery)
    tax = total(_taxes(lines, rule, off).values(), currency) + delivery_tax
    return Totals(
        subtotal=subtotal,
        tax=tax,
        shipping=shipping,
        total=subtotal - off + shipping + (Money.zero(currency) if rule.is_included else tax),
        discount=discount,
        tax_included=rule.is_included,
        delivery_tax=delivery_tax if delivery_tax else None,
    )


def worths_of(lines: Sequence[Priced], *, rule: TaxRule, off: Money) -> tuple[Money, ...]:
    """What is paid for each line, with its part of discount and tax: together all but what is paid for the delivery.

    Empty when all lines have one rate: then every cent of goods bears the same, and prices alone say what a line is worth.
    """
    rates = [rule.rate_of(line.tax_class) for line in lines]
    if len(set(rates)) <= 1:
        return ()
    nets = _nets(lines, off)
    if rule.is_included:
        return nets
    taxes = _taxes(lines, rule, off)
    worths = dict(enumerate(nets))
    for rate, tax in taxes.items():
        places = [place for place, other in enumerate(rates) if other == rate]
        for place, share in zip(places, shared_out(tax, [nets[place].minor for place in places]), strict=True):
            worths[place] = worths[place] + share
    return tuple(worths.values())


def shared_out(amount: Money, weights: Sequence[int]) -> tuple[Money, ...]:
    """An amount in parts by weight that add up to it exactly: differences of running sums, each rounded half-up."""
    whole = sum(weights)
    if not whole:
        return tuple(Money(amount.minor if not place else 0, amount.currency) for place in range(len(weights)))
    sums = [(2 * amount.minor * upto + whole) // (2 * whole) for upto in accumulate(weights, initial=0)]
    return tuple(Money(after - before, amount.currency) for before, after in pairwise(sums))


def _nets(lines: Sequence[Priced], off: Money) -> tuple[Money, ...]:
    """What is left of each line's amount when a discount is shared out by price."""
    shares = shared_out(off, [line.amount.minor for line in lines])
    return tuple(line.amount - share for line, share in zip(lines, shares, strict=True))


def _taxes(lines: Sequence[Priced], rule: TaxRule, off: Money) -> dict[Decimal, Money]:
    """The tax of all goods of a rate, by rate."""
    bases: dict[Decimal, Money] = {}
    for line, net in zip(lines, _nets(lines, off), strict=True):
        rate = rule.rate_of(line.tax_class)
        bases[rate] = bases.get(rate, Money.zero(net.currency)) + net
    return {rate: rule.tax_of(base, rate) for rate, base in bases.items()}
