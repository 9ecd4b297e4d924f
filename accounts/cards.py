"""What an account knows of Stripe: the customer's number there, and the cards Stripe keeps, as copies to show."""

from pynamodb.exceptions import UpdateError

from accounts import queries
from accounts.domain import SavedCard
from accounts.maps import to_card_map
from accounts.models import UserRow, user_key
from shop.lib.tables import is_refused


def keep_customer(*, user_id: str, customer_id: str) -> str:
    """Note somebody's customer number at Stripe, once; the number that counts. Raises UserNotFound."""
    try:
        user_key(user_id).update(
            actions=[UserRow.stripe_customer_id.set(customer_id)],
            condition=UserRow.pk.exists() & UserRow.stripe_customer_id.does_not_exist(),
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        # Another tab's, or our own, whose reply was lost.
        return queries.user(user_id=user_id).stripe_customer_id
    return customer_id


def forget_customer(*, user_id: str, customer_id: str) -> None:
    """Forget a customer that Stripe has no more, and the cards with it."""
    try:
        user_key(user_id).update(
            actions=[UserRow.stripe_customer_id.remove(), UserRow.payment_methods.set([])],
            condition=UserRow.stripe_customer_id == customer_id,
        )
    except UpdateError as error:
        if not is_refused(error):
            raise


def keep_cards(*, user_id: str, customer_id: str, cards: tuple[SavedCard, ...]) -> None:
    """Keep the cards as Stripe has them, unless the account has another customer number by now."""
    try:
        user_key(user_id).update(
            actions=[UserRow.payment_methods.set([to_card_map(card) for card in cards])],
            condition=UserRow.stripe_customer_id == customer_id,
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
