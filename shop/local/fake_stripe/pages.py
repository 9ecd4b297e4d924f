"""The hosted pages' HTML: it works without scripts, and every value is escaped."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import urlsplit

from shop.local.fake_stripe.cards import CARDS, brand_of
from shop.local.fake_stripe.errors import Json
from shop.local.fake_stripe.money import shown
from shop.local.fake_stripe.state import State

# What a shopper can do about it, which the bank's own sentence leaves out.
_ADVICE = {
    "insufficient_funds": "Your card does not have enough money for this payment. Use another card.",
    "lost_card": "Your card was declined. Ask your bank, or use another card.",
    "stolen_card": "Your card was declined. Ask your bank, or use another card.",
    "generic_decline": "Your card was declined. Use another card.",
    "expired_card": "Your card has expired. Use another card.",
    "incorrect_cvc": "The security code is not right. Check it and try again.",
    "processing_error": "The bank could not process your card just now. Wait a moment and try again.",
    "test_mode_live_card": "Only test cards work here, because no money moves. Use one from the list on this page.",
    "payment_intent_authentication_failure": "Your bank could not confirm it was you. Try again or use another card.",
}
_LABELS = {
    "email": "E-mail",
    "card_number": "Card number",
    "card_expiry": "Expiry date",
    "card_cvc": "Security code",
    "card_name": "Name on card",
}


def refusal(error: Json) -> str:
    """A refused payment in plain words."""
    told = _ADVICE.get(error.get("decline_code") or error["code"], error["message"])
    return f"{told} You have not been charged."


def may_save_card(session: Json) -> bool:
    """Whether the shop lets a known shopper save the card."""
    options = session["saved_payment_method_options"] or {}
    return bool(session["customer"]) and options.get("payment_method_save") == "enabled"


def _layout(title: str, main: str, *, wide: bool = False) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(title)}</title>
<link rel="stylesheet" href="/assets/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<header class="ribbon"><strong>Test mode</strong> <span>No money moves. Use a test card.</span></header>
<main class="{"checkout" if wide else "narrow"}">
{main}
</main>
</body>
</html>
"""


def notice(title: str, words: str, *, link: str = "") -> str:
    """A short page that says one thing."""
    return _layout(title, f'<div class="card"><h1>{escape(title)}</h1><p>{escape(words)}</p>{link}</div>')


def expired(session: Json, *, shop_name: str) -> str:
    """The page of a session that is over."""
    words = "You have not been charged. Go back to the shop to start again."
    link = ""
    if session["cancel_url"]:
        href = escape(_filled(session["cancel_url"], session))
        link = f'<p><a class="button" href="{href}">Back to {escape(shop_name)}</a></p>'
    return notice("This payment page has expired", words, link=link)


def _filled(url: str, session: Json) -> str:
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def authenticate(intent: Json, card: Json, *, shop_name: str) -> str:
    """The page that plays the bank's 3-D Secure question."""
    amount = shown(intent["amount"], intent["currency"])
    main = f"""<div class="card">
<p class="eyebrow">3-D Secure test page</p>
<h1>Is this payment yours?</h1>
<p>Your bank asks you to confirm this payment.</p>
<dl class="facts">
<div><dt>Shop</dt><dd>{escape(shop_name)}</dd></div>
<div><dt>Amount</dt><dd>{amount}</dd></div>
<div><dt>Card</dt><dd>{escape(card["brand"].title())} ending in {escape(card["last4"])}</dd></div>
</dl>
<form method="post" class="answers">
<button class="button" name="result" value="complete">Complete authentication</button>
<button class="button quiet" name="result" value="fail">Fail authentication</button>
</form>
</div>"""
    return _layout("Confirm your payment", main)


def pay(state: State, session: Json, *, shop_name: str, form: dict[str, str], wrong: dict[str, str], email: str | None) -> str:
    """The payment page: the order on the left, the card form on the right."""
    total = shown(session["amount_total"], session["currency"])
    main = f"""{_error_summary(wrong)}
{_summary(state, session, shop_name)}
<section class="payment" aria-labelledby="pay-heading">
<h2 id="pay-heading">Pay with card</h2>
{_saved_cards(state, session, total)}
<form method="post" novalidate>
{_email_field(form, wrong, email)}
<fieldset>
<legend>Card details</legend>
{_field("card_number", form, wrong, "cc-number", "1234 1234 1234 1234", numeric=True)}
<div class="pair">
{_field("card_expiry", form, wrong, "cc-exp", "MM/YY", numeric=True)}
{_field("card_cvc", form, wrong, "cc-csc", "CVC", numeric=True)}
</div>
{_field("card_name", form, wrong, "cc-name", "Full name")}
</fieldset>
{_save_card(session)}
<button class="button pay">Pay {total}</button>
</form>
<p class="fine">This page stands in for Stripe on a developer's machine. Card numbers are not kept.</p>
{_test_cards()}
</section>"""
    return _layout(f"Pay {total} · {shop_name}", main, wide=True)


def _summary(state: State, session: Json, shop_name: str) -> str:
    currency = session["currency"]
    back = ""
    if session["cancel_url"]:
        href = escape(_filled(session["cancel_url"], session))
        back = f'<a class="back" href="{href}"><span aria-hidden="true">←</span> Back to {escape(shop_name)}</a>'
    items = state.session_extras[session["id"]]["line_items"]
    totals = f"<div><dt>Subtotal</dt><dd>{shown(session['amount_subtotal'], currency)}</dd></div>"
    if session["discounts"]:
        coupon = state.tables["coupons"][session["discounts"][0]["coupon"]]
        off = shown(session["total_details"]["amount_discount"], currency)
        totals += f"<div><dt>{escape(coupon['name'] or coupon['id'])}</dt><dd>-{off}</dd></div>"
    if session["shipping_cost"]:
        rate = state.tables["shipping_rates"][session["shipping_cost"]["shipping_rate"]]
        amount = session["shipping_cost"]["amount_total"]
        cost = shown(amount, currency) if amount else "Free"
        totals += f"<div><dt>Shipping · {escape(rate['display_name'])}</dt><dd>{cost}</dd></div>"
    total = shown(session["amount_total"], currency)
    return f"""<section class="summary" aria-labelledby="order-heading">
{back}
<h1 id="order-heading">Pay {escape(shop_name)}<span class="total">{total}</span></h1>
<ul class="lines">
{"".join(_line(state, item) for item in items)}
</ul>
{_shipping_choice(state, session)}
<dl class="totals">
{totals}
<div class="due"><dt>Total due</dt><dd>{total}</dd></div>
</dl>
</section>"""


def _line(state: State, item: Json) -> str:
    product = state.tables["products"][item["price"]["product"]]
    picture = f'<span class="picture" aria-hidden="true">{escape(product["name"][:1].upper())}</span>'
    images = [url for url in product["images"] if urlsplit(url).scheme in ("http", "https")]
    if images:
        picture = f'<img class="picture" src="{escape(images[0])}" alt="" width="48" height="48">'
    about = f'<span class="about">{escape(product["description"])}</span>' if product["description"] else ""
    each = ""
    if item["quantity"] > 1:
        each = f'<span class="about">{shown(item["price"]["unit_amount"], item["currency"])} each</span>'
    return f"""<li>{picture}
<span class="what"><span class="name">{escape(product["name"])}</span>{about}
<span class="about">Qty {item["quantity"]}</span></span>
<span class="amount">{shown(item["amount_subtotal"], item["currency"])}{each}</span></li>
"""


def _shipping_choice(state: State, session: Json) -> str:
    # One way of shipping is no choice; the totals name it.
    if len(session["shipping_options"][1:]) == 0:
        return ""
    chosen = session["shipping_cost"]["shipping_rate"]
    buttons = []
    for option in session["shipping_options"]:
        rate = state.tables["shipping_rates"][option["shipping_rate"]]
        pressed = "true" if option["shipping_rate"] == chosen else "false"
        cost = shown(option["shipping_amount"], session["currency"]) if option["shipping_amount"] else "Free"
        buttons.append(
            f'<button name="shipping_rate" value="{option["shipping_rate"]}" aria-pressed="{pressed}">'
            f"<span>{escape(rate['display_name'])}</span> <span>{cost}</span></button>"
        )
    return f'<form method="post" class="shipping"><h2>Shipping</h2>{"".join(buttons)}</form>'


def _error_summary(wrong: dict[str, str]) -> str:
    # First on the page: on a telephone the card form is below the fold, and nothing scrolls there by itself.
    if not wrong:
        return ""
    heading, told = "Payment not made", f"<p>{escape(wrong.get('', ''))}</p>"
    if "" not in wrong:
        links = "".join(f'<li><a href="#{name}">{escape(words)}</a></li>' for name, words in wrong.items())
        heading, told = "Check these and try again", f"<ul>{links}</ul>"
    return f'<div class="alert-area"><div class="wrong" role="alert"><h2>{heading}</h2>{told}</div></div>'


def _email_field(form: dict[str, str], wrong: dict[str, str], email: str | None) -> str:
    if email:
        return f'<p class="known"><span>E-mail</span> <strong>{escape(email)}</strong></p>'
    return _field("email", form, wrong, "email", "name@example.com", input_type="email")


def _field(
    name: str,
    form: dict[str, str],
    wrong: dict[str, str],
    autocomplete: str,
    placeholder: str,
    *,
    numeric: bool = False,
    input_type: str = "text",
) -> str:
    # A card number and its code are never written back into a page.
    kept = "" if name in ("card_number", "card_cvc") else escape(form.get(name, ""))
    mode = ' inputmode="numeric"' if numeric else ""
    invalid = f' aria-invalid="true" aria-describedby="{name}-wrong"' if name in wrong else ""
    told = f'<p class="field-wrong" id="{name}-wrong">{escape(wrong[name])}</p>' if name in wrong else ""
    return f"""<div class="field"><label for="{name}">{_LABELS[name]}</label>
<input id="{name}" name="{name}" type="{input_type}" value="{kept}" autocomplete="{autocomplete}"
placeholder="{placeholder}"{mode}{invalid} required>
{told}</div>"""


def saved_cards(state: State, session: Json) -> list[Json]:
    """The cards a known shopper agreed to see again, newest first.

    https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-saved_payment_method_options
    """
    methods = state.tables["payment_methods"].values()
    mine = [one for one in methods if one["customer"] is not None and one["customer"] == session["customer"]]
    return [one for one in reversed(mine) if one["allow_redisplay"] == "always"]


def _saved_cards(state: State, session: Json, total: str) -> str:
    buttons = "".join(
        f'<button class="button quiet" name="saved_card" value="{method["id"]}">Pay {total} with '
        f"{escape(method['card']['brand'].title())} ending in {escape(method['card']['last4'])}</button>"
        for method in saved_cards(state, session)
    )
    return f'<form method="post" class="answers">{buttons}</form><p class="fine">Or with another card:</p>' if buttons else ""


def _save_card(session: Json) -> str:
    if not may_save_card(session):
        return ""
    tick = '<input type="checkbox" name="save_card" value="yes">'
    return f'<p class="tick"><label>{tick} Save this card for next time</label></p>'


def _test_cards() -> str:
    rows = "".join(f"<tr><td><code>{_spaced(card.number)}</code></td><td>{escape(card.says)}</td></tr>" for card in CARDS)
    return f"""<details class="cards"><summary>Test cards</summary>
<p>Any future expiry date and any security code (three digits, four for American Express).</p>
<table>
<thead><tr><th scope="col">Number</th><th scope="col">What happens</th></tr></thead>
<tbody>{rows}</tbody>
</table>
</details>"""


def _spaced(number: str) -> str:
    if brand_of(number) == "amex":
        return f"{number[:4]} {number[4:10]} {number[10:]}"
    return " ".join(re.findall("....", number))
