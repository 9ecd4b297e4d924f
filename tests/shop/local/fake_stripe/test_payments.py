from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from shop.local.fake_stripe import FakeStripe
from tests.shop.local.fake_stripe.scene import GENERIC_DECLINE, client_of, open_session, paid_intent, visit


class TestIntents:
    def test_an_intent_is_created_confirmed_and_listed(self, client: stripe.StripeClient) -> None:
        intent = client.v1.payment_intents.create({"amount": 1999, "currency": "usd", "metadata": {"order": "1"}})
        confirmed = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})

        assert (intent.status, confirmed.status) == ("requires_payment_method", "succeeded")
        assert confirmed.amount_received == 1999
        assert client.v1.charges.retrieve(str(confirmed.latest_charge)).amount == 1999
        assert [one.id for one in client.v1.payment_intents.list().data] == [intent.id]

    def test_a_declined_confirmation_is_a_card_error(self, client: stripe.StripeClient) -> None:
        intent = client.v1.payment_intents.create({"amount": 1999, "currency": "usd"})

        with pytest.raises(stripe.CardError) as refused:
            client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"})

        assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
        assert refused.value.error is not None
        assert refused.value.error.decline_code == "insufficient_funds"
        assert client.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"

    def test_an_intent_that_asks_the_bank_names_the_page(self, client: stripe.StripeClient) -> None:
        intent = client.v1.payment_intents.create(
            {
                "amount": 1999,
                "currency": "usd",
                "confirm": True,
                "payment_method": "pm_card_authenticationRequired",
                "return_url": "http://shop.test/back/?a=1",
            }
        )
        assert intent.next_action is not None
        assert intent.next_action.redirect_to_url is not None
        bank = str(intent.next_action.redirect_to_url.url)

        answered = visit(bank, {"result": "complete"})

        assert intent.status == "requires_action"
        assert answered.location == f"http://shop.test/back/?a=1&payment_intent={intent.id}&redirect_status=succeeded"
        assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"

    def test_nobody_to_ask_means_authentication_required(self, client: stripe.StripeClient) -> None:
        intent = client.v1.payment_intents.create({"amount": 1999, "currency": "usd"})

        with pytest.raises(stripe.CardError) as refused:
            client.v1.payment_intents.confirm(
                intent.id, {"payment_method": "pm_card_authenticationRequired", "off_session": True}
            )

        assert refused.value.code == "authentication_required"

    def test_an_unpaid_intent_can_be_cancelled_and_a_paid_one_cannot(self, client: stripe.StripeClient) -> None:
        unpaid = client.v1.payment_intents.create({"amount": 1999, "currency": "usd"})
        paid = client.v1.payment_intents.create(
            {"amount": 1999, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
        )

        cancelled = client.v1.payment_intents.cancel(unpaid.id, {"cancellation_reason": "abandoned"})
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.cancel(paid.id)

        assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
        assert refused.value.code == "payment_intent_unexpected_state"
        assert client.v1.payment_intents.retrieve(paid.id).status == "succeeded"

    def test_a_sessions_intent_is_left_to_the_session(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        session = open_session(client)
        fake.pay(session.id, number=GENERIC_DECLINE)
        intent = str(client.v1.checkout.sessions.retrieve(session.id).payment_intent)

        with pytest.raises(stripe.InvalidRequestError, match="created by Checkout"):
            client.v1.payment_intents.cancel(intent)
        with pytest.raises(stripe.InvalidRequestError, match="created by Checkout"):
            client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})

        assert client.v1.payment_intents.retrieve(intent).status == "requires_payment_method"

    @pytest.mark.parametrize(("amount", "code"), [(49, "amount_too_small"), (100_000_000, "amount_too_large")])
    def test_an_amount_out_of_bounds_is_refused(self, client: stripe.StripeClient, amount: int, code: str) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.create({"amount": amount, "currency": "usd"})

        assert (refused.value.code, refused.value.param) == (code, "amount")
        assert client.v1.payment_intents.list().data == []


class TestRefunds:
    def test_a_refund_of_part_then_the_rest(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        intent = paid_intent(fake, client)

        part = client.v1.refunds.create(
            {"payment_intent": intent, "amount": 2500, "reason": "requested_by_customer", "metadata": {"line": "1"}}
        )
        charge = client.v1.charges.retrieve(str(part.charge))
        rest = client.v1.refunds.create({"charge": str(part.charge)})

        assert (part.amount, part.status, part.reason, part.currency) == (2500, "succeeded", "requested_by_customer", "usd")
        assert part.metadata is not None
        assert part.metadata.to_dict() == {"line": "1"}
        assert (charge.amount_refunded, charge.refunded) == (2500, False)
        assert rest.amount == 5029
        after = client.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
        assert (after.amount_refunded, after.refunded) == (7529, True)
        assert after.refunds is not None
        assert [one.id for one in after.refunds.data] == [rest.id, part.id]
        assert [one.id for one in client.v1.refunds.list({"payment_intent": intent}).data] == [rest.id, part.id]
        assert client.v1.refunds.retrieve(part.id).amount == 2500

    def test_more_than_remains_is_refused(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        intent = paid_intent(fake, client)
        client.v1.refunds.create({"payment_intent": intent, "amount": 7000})

        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.refunds.create({"payment_intent": intent, "amount": 530})

        assert refused.value.user_message == ("Refund amount ($5.30) is greater than unrefunded amount on charge ($5.29)")
        assert refused.value.param == "amount"
        assert len(client.v1.refunds.list().data) == 1

    def test_a_charge_wholly_refunded_cannot_be_refunded_again(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        intent = paid_intent(fake, client)
        client.v1.refunds.create({"payment_intent": intent})

        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.refunds.create({"payment_intent": intent})

        assert refused.value.code == "charge_already_refunded"
        assert len(client.v1.refunds.list().data) == 1

    def test_refunds_racing_for_the_same_money_never_exceed_it(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        intent = paid_intent(fake, client)

        def refund(_: int) -> bool:
            try:
                client_of(fake).v1.refunds.create({"payment_intent": intent, "amount": 2500})
            except stripe.InvalidRequestError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(refund, range(8)))

        assert made.count(True) == 3
        assert client.v1.charges.list().data[0].amount_refunded == 7500

    def test_what_was_not_paid_cannot_be_refunded(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        session = open_session(client)
        fake.pay(session.id, number=GENERIC_DECLINE)
        intent = str(client.v1.checkout.sessions.retrieve(session.id).payment_intent)

        with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge to refund"):
            client.v1.refunds.create({"payment_intent": intent})
        with pytest.raises(stripe.InvalidRequestError, match="payment_intent or charge"):
            client.v1.refunds.create({"amount": 100})

        assert client.v1.refunds.list().data == []
