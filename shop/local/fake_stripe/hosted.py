"""The hosted payment page: what it shows and what its forms do. No cookies, no scripts."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from shop.local.fake_stripe import cards, checkout, pages, payments
from shop.local.fake_stripe.errors import Json
from shop.local.fake_stripe.state import State
from shop.local.fake_stripe.web import Answer, Request


class Hosted:
    """Answers /c/…; the caller holds the state's lock, so two clicks are one after the other."""

    def __init__(self, state: State, shop_name: str) -> None:
        self._state = state
        self._shop_name = shop_name

    def answer(self, request: Request) -> Answer:
        """The page, or the redirect, for one request."""
        kind, _, thing_id = request.path.removeprefix("/c/").partition("/")
        form = dict(parse_qsl(request.body)) if request.method == "POST" else None
        session = self._state.tables["sessions"].get(thing_id)
        if kind == "pay" and session is not None:
            return self._pay_page(session, form)
        intent = self._state.tables["payment_intents"].get(thing_id)
        if kind == "authenticate" and intent is not None:
            return self._bank_page(intent, form)
        return Answer(404, pages.notice("This page does not exist", "Go back to the shop and start again."))

    def _pay_page(self, session: Json, form: dict[str, str] | None) -> Answer:
        if session["status"] != "open":
            return self._over(session)
        if form is None:
            return self._form(session, 200, {}, self._last_refusal(session))
        if "shipping_rate" in form:
            checkout.choose_shipping(self._state, session, form["shipping_rate"])
            return self._form(session, 200, form, {})
        if "saved_card" in form:
            return self._pay_with_saved(session, form["saved_card"])
        return self._pay(session, form)

    def _pay_with_saved(self, session: Json, method_id: str) -> Answer:
        # Only what the page itself offered.
        method = next((one for one in pages.saved_cards(self._state, session) if one["id"] == method_id), None)
        if method is None:
            return self._form(session, 422, {}, {"": "This card is not saved any more. You have not been charged."})
        return self._after(session, {}, checkout.pay_with(self._state, session, method))

    def _pay(self, session: Json, form: dict[str, str]) -> Answer:
        # An address the shop gave is not the shopper's to change here.
        form["email"] = self._known_email(session) or form.get("email", "").strip()
        card = cards.check_form(form, dt.datetime.fromtimestamp(self._state.now, dt.UTC).date())
        if isinstance(card, dict):
            return self._form(session, 422, form, card)
        save_card = form.get("save_card") == "yes" and pages.may_save_card(session)
        paid = checkout.pay(self._state, session, card, email=form["email"], save_card=save_card)
        return self._after(session, form, paid)

    def _after(self, session: Json, form: dict[str, str], paid: checkout.Paid) -> Answer:
        if paid.outcome == "authenticate":
            return _see_other(f"/c/authenticate/{session['payment_intent']}")
        if paid.outcome == "declined":
            return self._form(session, 402, form, self._last_refusal(session))
        return self._over(session)

    def _form(self, session: Json, status: int, form: dict[str, str], wrong: dict[str, str]) -> Answer:
        page = pages.pay(
            self._state, session, shop_name=self._shop_name, form=form, wrong=wrong, email=self._known_email(session)
        )
        return Answer(status, page)

    def _known_email(self, session: Json) -> str | None:
        customer = self._state.tables["customers"].get(session["customer"] or "", {})
        known = session["customer_email"] or customer.get("email")
        return str(known) if known else None

    def _last_refusal(self, session: Json) -> dict[str, str]:
        intent = self._state.tables["payment_intents"].get(session["payment_intent"] or "", {})
        error = intent.get("last_payment_error")
        return {"": pages.refusal(error)} if error else {}

    def _over(self, session: Json) -> Answer:
        if session["status"] == "complete":
            return _see_other(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))
        page = pages.expired(session, shop_name=self._shop_name)
        return Answer(410, page)

    def _bank_page(self, intent: Json, form: dict[str, str] | None) -> Answer:
        session = next((one for one in self._state.tables["sessions"].values() if one["payment_intent"] == intent["id"]), None)
        if intent["status"] == "requires_action" and (form is None or "result" not in form):
            card = self._state.tables["payment_methods"][intent["payment_method"]]["card"]
            return Answer(200, pages.authenticate(intent, card, shop_name=self._shop_name))
        # Read before it is answered: once it is, the intent no longer says where to return to.
        action = intent["next_action"] or {}
        passed = form is not None and form.get("result") == "complete"
        if session is None:
            payments.authenticate(self._state, intent, passed=passed)
            return _see_other(_with_result(action.get("redirect_to_url", {}).get("return_url"), intent))
        checkout.authenticate(self._state, session, passed=passed)
        return self._over(session) if session["status"] != "open" else _see_other(f"/c/pay/{session['id']}")


def _with_result(return_url: str | None, intent: Json) -> str:
    if return_url is None:
        return "/"
    parts = urlsplit(return_url)
    result = "succeeded" if intent["status"] == "succeeded" else "failed"
    added = urlencode({"payment_intent": intent["id"], "redirect_status": result})
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, added)))))


def _see_other(address: str) -> Answer:
    return Answer(303, "", headers={"Location": address})
