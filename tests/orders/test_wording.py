"""Every code an order's rows may keep has words."""

import pytest

from orders.domain import OrderStatus
from orders.ledger_domain import RefundReason, RefundState
from orders.wording import REFUND_REASONS, REFUND_STATES, STATUS_LABELS, payment_words
from shop.lib.actors import actor_words


def test_every_code_has_words_of_its_own() -> None:
    for words, codes in ((STATUS_LABELS, OrderStatus), (REFUND_STATES, RefundState), (REFUND_REASONS, RefundReason)):
        assert set(words) == set(codes)
        assert len(set(words.values())) == len(words)
        assert all(text[0].isupper() and "_" not in text for text in words.values())


@pytest.mark.parametrize(
    ("code", "words"),
    [("partially_refunded", "Refunded in part"), ("completed", "Paid"), ("void", "Nothing was taken"), ("disputed", "disputed")],
)
def test_a_payment_is_told_in_words_and_one_from_elsewhere_as_it_came(code: str, words: str) -> None:
    assert payment_words(code) == words


@pytest.mark.parametrize(
    ("actor", "words"), [("shopper", "the customer"), ("clock", "the shop’s clock"), ("eve@example.com", "eve@example.com")]
)
def test_who_is_no_staff_has_words_too(actor: str, words: str) -> None:
    assert actor_words(actor) == words
