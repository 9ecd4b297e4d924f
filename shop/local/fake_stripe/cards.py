"""The test cards Stripe documents (https://docs.stripe.com/testing), and what a card form must hold."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Decline:
    """Why a bank says no: Stripe's two codes, Stripe's sentence."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class TestCard:
    """One documented card number and how it behaves."""

    # The name starts with "Test"; pytest must not take it for a test.
    __test__ = False

    name: str
    number: str
    brand: str
    says: str
    authenticates: bool = False
    decline: Decline | None = None


_GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
_LOST = Decline("card_declined", "lost_card", "Your card was declined.")
_STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
_EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.")
_CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
_PROCESSING = Decline(
    "processing_error", "processing_error", "An error occurred while processing your card. Try again in a little bit."
)
_LIVE = Decline(
    "card_declined", "test_mode_live_card", "Your card was declined. Your request was in test mode, but used a non test card."
)
NOT_AUTHENTICATED = Decline(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)
OFF_SESSION = Decline(
    "authentication_required", "authentication_required", "Your card was declined. This transaction requires authentication."
)

CARDS = (
    TestCard("visa", "4242424242424242", "visa", "Payment succeeds"),
    TestCard("mastercard", "5555555555554444", "mastercard", "Payment succeeds"),
    TestCard("amex", "378282246310005", "amex", "Payment succeeds"),
    TestCard("authenticationRequired", "4000002500003155", "visa", "Asks for 3-D Secure", authenticates=True),
    TestCard("threeDSecureAlways", "4000002760003184", "visa", "Asks for 3-D Secure", authenticates=True),
    TestCard("threeDSecure2Required", "4000000000003220", "visa", "Asks for 3-D Secure", authenticates=True),
    TestCard(
        "threeDSecureDeclined", "4000008400001629", "visa", "3-D Secure, then declined", authenticates=True, decline=_GENERIC
    ),
    TestCard("chargeDeclined", "4000000000000002", "visa", "Declined", decline=_GENERIC),
    TestCard("insufficientFunds", "4000000000009995", "visa", "Insufficient funds", decline=_FUNDS),
    TestCard("lostCard", "4000000000009987", "visa", "Lost card", decline=_LOST),
    TestCard("stolenCard", "4000000000009979", "visa", "Stolen card", decline=_STOLEN),
    TestCard("expiredCard", "4000000000000069", "visa", "Expired card", decline=_EXPIRED),
    TestCard("incorrectCvc", "4000000000000127", "visa", "Wrong security code", decline=_CVC),
    TestCard("processingError", "4000000000000119", "visa", "Processing error", decline=_PROCESSING),
)
# A number outside the table: on Stripe's test mode too, every other card is refused.
LIVE_CARD = TestCard("liveCard", "", "unknown", "Not a test card", decline=_LIVE)

_BY_NAME = {card.name: card for card in (*CARDS, LIVE_CARD)}
_BY_NUMBER = {card.number: card for card in CARDS}
# The ready-made payment methods the API takes by name: https://docs.stripe.com/testing#cards
TOKENS = {
    "visa": "visa",
    "mastercard": "mastercard",
    "amex": "amex",
    "authenticationRequired": "authenticationRequired",
    "threeDSecure2Required": "threeDSecure2Required",
    "threeDSecureRequiredChargeDeclined": "threeDSecureDeclined",
    "visa_chargeDeclined": "chargeDeclined",
    "chargeDeclined": "chargeDeclined",
    "visa_chargeDeclinedInsufficientFunds": "insufficientFunds",
    "chargeDeclinedInsufficientFunds": "insufficientFunds",
    "visa_chargeDeclinedLostCard": "lostCard",
    "visa_chargeDeclinedStolenCard": "stolenCard",
    "chargeDeclinedExpiredCard": "expiredCard",
    "chargeDeclinedIncorrectCvc": "incorrectCvc",
    "chargeDeclinedProcessingError": "processingError",
}


@dataclass(frozen=True)
class CardDetails:
    """A card as typed. The number lives no longer than the request."""

    number: str
    exp_month: int
    exp_year: int
    name: str

    @property
    def test_card(self) -> TestCard:
        return _BY_NUMBER.get(self.number, LIVE_CARD)

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def brand(self) -> str:
        return brand_of(self.number)

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]


def by_name(name: str) -> TestCard:
    """The test card a stored payment method behaves like."""
    return _BY_NAME[name]


def from_token(token: str, today: dt.date) -> CardDetails | None:
    """The card behind `pm_card_visa` or `tok_visa`; None when there is no such ready-made card."""
    for prefix in ("pm_card_", "tok_"):
        name = TOKENS.get(token.removeprefix(prefix)) if token.startswith(prefix) else None
        if name:
            return CardDetails(by_name(name).number, 12, today.year + 4, "")
    return None


def brand_of(number: str) -> str:
    """The card scheme, by the number's first digits."""
    if re.match(r"4", number):
        return "visa"
    if re.match(r"5[1-5]|2[2-7]", number):
        return "mastercard"
    if re.match(r"3[47]", number):
        return "amex"
    return "unknown"


def luhn_holds(number: str) -> bool:
    """Whether the last digit of the number is the check digit it should be."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        # Every second digit counts double, and a double of two digits counts as their sum.
        total += sum(divmod(int(digit) * (1 + place % 2), 10))
    return total % 10 == 0


def check_form(form: Mapping[str, str], today: dt.date) -> CardDetails | dict[str, str]:
    """The card in a filled-in form, or a sentence for each field that is wrong."""
    wrong: dict[str, str] = {}
    if not re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", form.get("email", "").strip()):
        wrong["email"] = "Enter an e-mail address, like name@example.com."
    number = re.sub(r"[\s-]", "", form.get("card_number", ""))
    if not re.fullmatch(r"[0-9]{13,19}", number):
        wrong["card_number"] = "Enter the whole card number."
    elif not luhn_holds(number):
        wrong["card_number"] = "This card number is not right. Check each digit."
    expiry = _expiry(form.get("card_expiry", ""))
    if expiry is None:
        wrong["card_expiry"] = "Enter the expiry date as MM/YY."
    elif expiry < (today.year, today.month):
        wrong["card_expiry"] = "This card has expired. Use another card."
    digits = 4 if brand_of(number) == "amex" else 3
    if not re.fullmatch(rf"[0-9]{{{digits}}}", form.get("card_cvc", "").strip()):
        wrong["card_cvc"] = f"Enter the {digits}-digit security code."
    name = " ".join(form.get("card_name", "").split())
    if not name:
        wrong["card_name"] = "Enter the name on the card."
    if wrong or expiry is None:
        return wrong
    return CardDetails(number, expiry[1], expiry[0], name)


def _expiry(typed: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"\s*(0?[1-9]|1[0-2])\s*[/-]?\s*(?:20)?([0-9]{2})\s*", typed)
    return (2000 + int(found[2]), int(found[1])) if found else None
