"""The read-only page a developer opens to see what happened."""

from __future__ import annotations

import datetime as dt
from html import escape

from shop.local.fake_stripe.errors import Json
from shop.local.fake_stripe.money import shown
from shop.local.fake_stripe.state import State

_SHOWN = 50
_GOOD = frozenset(("succeeded", "delivered", "paid", "complete"))
_BAD = frozenset(("failed", "dropped", "canceled", "expired"))


def render(state: State) -> str:
    """The newest payments, refunds and webhook deliveries. The caller holds the state's lock."""
    tables = state.tables
    sessions = _table(
        "Checkout sessions",
        ("Created", "Order", "Amount", "Status", "Session"),
        [_session(one) for one in _newest(tables["sessions"])],
    )
    payments = _table(
        "Payments",
        ("Created", "Amount", "Refunded", "Status", "Why", "PaymentIntent"),
        [_charge(one) for one in _newest(tables["charges"])],
    )
    refunds = _table(
        "Refunds",
        ("Created", "Amount", "Status", "Reason", "Refund", "PaymentIntent"),
        [_refund(one) for one in _newest(tables["refunds"])],
    )
    deliveries = _table(
        "Webhook deliveries",
        ("Created", "Event", "Status", "Attempts", "Last answer", "Id"),
        [_delivery(one) for one in _newest(state.deliveries)],
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fake Stripe</title>
<link rel="stylesheet" href="/assets/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<header class="ribbon"><strong>Test mode</strong> <span>No money moves.</span></header>
<main class="board">
<h1>Fake Stripe</h1>
<p>What the shop asked for and what it was told. The newest {_SHOWN} of each; reload to see more.</p>
{sessions}{payments}{refunds}{deliveries}
</main>
</body>
</html>
"""


def _newest(table: dict[str, Json]) -> list[Json]:
    return list(reversed(table.values()))[:_SHOWN]


def _session(session: Json) -> list[str]:
    order = escape(session["client_reference_id"] or "")
    link = f"<code>{session['id'][:24]}…</code>"
    if session["url"]:
        link = f'<a href="/c/pay/{session["id"]}">{link}</a>'
    return [_time(session), order, shown(session["amount_total"], session["currency"]), _tag(session["status"]), link]


def _charge(charge: Json) -> list[str]:
    refunded = shown(charge["amount_refunded"], charge["currency"]) if charge["amount_refunded"] else ""
    amount = shown(charge["amount"], charge["currency"])
    why = escape(charge["failure_message"] or "")
    return [_time(charge), amount, refunded, _tag(charge["status"]), why, f"<code>{charge['payment_intent']}</code>"]


def _refund(refund: Json) -> list[str]:
    return [
        _time(refund),
        shown(refund["amount"], refund["currency"]),
        _tag(refund["status"]),
        escape(refund["reason"] or ""),
        f"<code>{refund['id']}</code>",
        f"<code>{refund['payment_intent']}</code>",
    ]


def _delivery(delivery: Json) -> list[str]:
    answer = "" if delivery["answer"] is None else escape(str(delivery["answer"]))
    return [
        _time(delivery),
        escape(delivery["type"]),
        _tag(delivery["status"]),
        str(delivery["attempts"]),
        answer,
        f"<code>{delivery['event']}</code>",
    ]


def _time(thing: Json) -> str:
    return dt.datetime.fromtimestamp(thing["created"], dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def _tag(status: str) -> str:
    kind = "good" if status in _GOOD else "bad" if status in _BAD else "wait"
    return f'<span class="tag {kind}">{escape(status)}</span>'


def _table(title: str, heads: tuple[str, ...], rows: list[list[str]]) -> str:
    if not rows:
        return f'<h2>{title}</h2><p class="empty">None yet.</p>'
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<h2>{title}</h2><div class="scroll" tabindex="0" role="region" aria-label="{title}">{table}</div>'
