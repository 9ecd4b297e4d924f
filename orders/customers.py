"""Customers at Stripe and the cards it keeps for them. All calls raise PaymentsUnavailable or PaymentRefused."""

import hashlib
from typing import Any

from accounts.domain import SavedCard, User
from orders.payment_params import deployment
from orders.payments import CustomerGone, PaymentRefused, gateway

MOST_CARDS = 100
"""The longest page Stripe gives; nobody has so many."""


def create_customer(user: User) -> str:
    """The number of a new customer; asked again for the same person, Stripe returns the first."""
    params: Any = {
        "email": user.email,
        "name": user.name,
        "metadata": {"user_id": user.user_id, "deployment": deployment()},
    }
    # Stripe refuses a key that comes again with other words, such as after a change of name.
    words = hashlib.sha256(f"{user.email} {user.name}".encode()).hexdigest()[:16]
    options: Any = {"idempotency_key": f"customer:{user.user_id}:{words}:v1"}
    return gateway().call(lambda client: client.v1.customers.create(params, options), "customer").id


def cards_of(customer_id: str) -> tuple[SavedCard, ...]:
    """The customer's cards, newest first, as Stripe has them now; one of them is the default. Raises CustomerGone as well."""
    default = _default_of(customer_id)
    params: Any = {"type": "card", "limit": MOST_CARDS}
    found = gateway().call(lambda client: client.v1.customers.payment_methods.list(customer_id, params), "cards").data
    cards = [(method.id, method.card) for method in found if method.card is not None]
    if default not in dict(cards):
        default = cards[0][0] if cards else ""
    return tuple(
        SavedCard(
            method_id=method_id,
            kind="card",
            last4=card.last4,
            brand=card.brand,
            expiry_month=card.exp_month,
            expiry_year=card.exp_year,
            is_default=method_id == default,
        )
        for method_id, card in cards
    )


def set_default_card(customer_id: str, method_id: str) -> None:
    """Let Stripe know which card is the customer's own choice."""
    params: Any = {"invoice_settings": {"default_payment_method": method_id}}
    gateway().call(lambda client: client.v1.customers.update(customer_id, params), "customer")


def detach_card(method_id: str) -> None:
    """Let Stripe forget a card for good: it cannot be attached again."""
    gateway().call(lambda client: client.v1.payment_methods.detach(method_id), "card")


def delete_customer(customer_id: str) -> None:
    """Let Stripe forget the customer with all cards; one that is gone already stays gone."""
    try:
        gateway().call(lambda client: client.v1.customers.delete(customer_id), "customer")
    except PaymentRefused:
        try:
            _default_of(customer_id)
        except CustomerGone:
            return
        raise


def _default_of(customer_id: str) -> str:
    try:
        found = gateway().call(lambda client: client.v1.customers.retrieve(customer_id), "customer")
    except PaymentRefused as refusal:  # the number is of another account, or of Stripe's other mode
        raise CustomerGone(customer_id) from refusal
    customer: dict[str, Any] = found.to_dict()
    if customer.get("deleted"):
        raise CustomerGone(customer_id)
    return (customer.get("invoice_settings") or {}).get("default_payment_method") or ""
