"""Amounts in words, for pages and messages."""

from __future__ import annotations

# https://docs.stripe.com/currencies#zero-decimal
_NO_DECIMALS = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf")
)
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def shown(amount: int, currency: str) -> str:
    """`shown(7529, "usd")` is `$75.29`; a currency without a well-known sign gets its code."""
    figure = f"{amount:,}" if currency in _NO_DECIMALS else f"{amount // 100:,}.{amount % 100:02d}"
    sign = _SIGNS.get(currency)
    return f"{sign}{figure}" if sign else f"{figure} {currency.upper()}"
