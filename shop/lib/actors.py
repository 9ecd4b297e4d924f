"""Who does something in the shop without being of the staff, by the one word that rows keep, and as people read it."""

SHOPPER, STRIPE, CLOCK = "shopper", "stripe", "clock"
_WORDS = {SHOPPER: "the customer", STRIPE: "Stripe", CLOCK: "the shop’s clock"}


def actor_words(actor: str) -> str:
    """An actor as staff read it: a member of staff or another system by its own name."""
    return _WORDS.get(actor, actor)
