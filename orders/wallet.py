"""Somebody's saved cards: kept by Stripe alone, with copies on the account that show brand, last four digits and expiry."""

import logging

from accounts import cards as account_cards
from accounts import queries as accounts
from accounts.domain import SavedCard, User
from accounts.queries import UserNotFound
from orders import customers
from orders.payments import CustomerGone, PaymentRefused, PaymentsUnavailable
from shop.lib.owner import Owner

logger = logging.getLogger(__name__)


class CardNotFound(Exception):
    """Stripe keeps no such card for this person."""


def customer_of(owner: Owner) -> str:
    """The owner's customer number at Stripe, made with the first order; empty for a guest. Raises PaymentsUnavailable.

    Who has no number although they are signed in pays all the same, without saved cards.
    """
    if owner.is_guest:
        return ""
    try:
        user = accounts.user(user_id=owner.id)
        return user.stripe_customer_id or account_cards.keep_customer(
            user_id=owner.id, customer_id=customers.create_customer(user)
        )
    except UserNotFound:
        return ""
    except PaymentRefused:
        logger.warning("Stripe made no customer of %s", owner.id, exc_info=True)
        return ""


def forget_customer(owner: Owner, customer_id: str) -> None:
    """Forget a customer number Stripe does not know (any more); the next order makes another."""
    logger.warning("Stripe has no customer %s of %s", customer_id, owner.id)
    account_cards.forget_customer(user_id=owner.id, customer_id=customer_id)


def cards_now(user: User) -> tuple[tuple[SavedCard, ...], bool]:
    """The cards as Stripe has them, and that they are; when Stripe is silent the copies, and that they may be old."""
    try:
        return _in_step(user), True
    except (PaymentsUnavailable, PaymentRefused):
        logger.warning("the cards of %s could not be read", user.user_id, exc_info=True)
        return user.cards, False


def make_default(*, user: User, method_id: str) -> None:
    """Let a card be the default. Raises CardNotFound, PaymentsUnavailable, PaymentRefused."""
    _require_card(user, method_id)
    customers.set_default_card(user.stripe_customer_id, method_id)
    _in_step(user)


def remove_card(*, user: User, method_id: str) -> None:
    """Let Stripe forget a card, then forget its copy. Raises CardNotFound, PaymentsUnavailable, PaymentRefused."""
    _require_card(user, method_id)
    try:
        customers.detach_card(method_id)
    except PaymentRefused:  # a second click was quicker, or Stripe has its reasons
        if method_id in [card.method_id for card in _in_step(user)]:
            raise
    _in_step(user)


def _require_card(user: User, method_id: str) -> None:
    if method_id not in [card.method_id for card in _in_step(user)]:
        raise CardNotFound(method_id)


def _in_step(user: User) -> tuple[SavedCard, ...]:
    """What Stripe says, kept on the account as well."""
    if not user.stripe_customer_id:
        return user.cards
    try:
        cards = customers.cards_of(user.stripe_customer_id)
    except CustomerGone:
        account_cards.forget_customer(user_id=user.user_id, customer_id=user.stripe_customer_id)
        return ()
    if cards != user.cards:
        account_cards.keep_cards(user_id=user.user_id, customer_id=user.stripe_customer_id, cards=cards)
    return cards
