"""Everything the shop keeps about a person, for them to take along."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from accounts import queries as accounts
from accounts.devices import device_name
from accounts.domain import SavedCard, User
from cart import queries as carts
from catalog import review_queries
from catalog.review_domain import Review
from orders import queries
from orders.domain import Address, Order
from orders.wallet import cards_now
from shop.lib.money import Money
from shop.lib.owner import Owner

MOST_NOTES = 500
MOST_ORDERS = 500
"""The newest so many: an answer of Lambda's is 6 MB at most."""


def export(*, user_id: str, now: datetime) -> dict[str, Any]:
    """What is kept about somebody, in words of JSON; neither password nor second factor. Raises UserNotFound."""
    user = accounts.user(user_id=user_id)
    owner = Owner(id=user_id, is_guest=False)
    cards, _is_fresh = cards_now(user)
    orders = _orders_of(owner)
    bought = [(line.product_id, order.order_id) for order in orders for line in order.lines]
    return {
        "exportedAt": now.isoformat(),
        "profile": _profile(user),
        "addresses": _addresses(user),
        "notes": [
            {"text": note.text, "at": note.at.isoformat()} for note in accounts.notes_about(user_id=user_id, most=MOST_NOTES)
        ],
        "paymentMethods": _cards(cards),
        "orders": [_order(order) for order in orders],
        "reviews": [_review(review) for review in review_queries.reviews_of_orders(bought=bought)],
        "cart": _cart(owner, now),
        "checkout": _checkout(owner, now),
        "mails": [
            {"kind": one.kind, "to": one.to, "state": one.state, "at": one.at.isoformat(), "tries": one.tries}
            for one in accounts.mails_to(user_id=user_id)
        ],
        "sessions": [
            {
                "device": device_name(session.user_agent),
                "userAgent": session.user_agent,
                "source": session.source,
                "signedInAt": session.created_at.isoformat(),
                "lastSeen": session.seen_at.isoformat(),
            }
            for session in accounts.sessions_of(user_id=user_id, now=now)
        ],
    }


def _orders_of(owner: Owner) -> list[Order]:
    found: list[Order] = []
    cursor = ""
    while len(found) < MOST_ORDERS:
        page = queries.orders_of(owner=owner, cursor=cursor, size=100)
        found += page.items
        cursor = page.next_cursor
        if not cursor:
            break
    return found


def _profile(user: User) -> dict[str, Any]:
    return {
        "userId": user.user_id,
        "email": user.email,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "phone": user.phone,
        "role": user.role,
        "createdAt": user.created_at.isoformat(),
        "lastLogin": user.last_login.isoformat() if user.last_login else None,
        "stripeCustomerId": user.stripe_customer_id,
    }


def _addresses(user: User) -> list[dict[str, Any]]:
    return [
        {
            "id": entry.address_id,
            "type": entry.kind,
            "name": entry.name,
            "street": entry.street,
            "street2": entry.street2,
            "city": entry.city,
            "state": entry.state,
            "zipCode": entry.zip_code,
            "country": entry.country,
            "isDefault": entry.is_default,
        }
        for entry in user.addresses
    ]


def _cards(cards: Iterable[SavedCard]) -> list[dict[str, Any]]:
    return [
        {
            "id": card.method_id,
            "type": card.kind,
            "brand": card.brand,
            "last4": card.last4,
            "expiryMonth": card.expiry_month,
            "expiryYear": card.expiry_year,
            "isDefault": card.is_default,
        }
        for card in cards
    ]


def _order(order: Order) -> dict[str, Any]:
    return {
        "orderId": order.order_id,
        "status": order.status,
        "email": order.email,
        "phone": order.phone,
        "createdAt": order.created_at.isoformat(),
        "items": [
            {
                "productId": line.product_id,
                "name": line.name,
                "quantity": line.quantity,
                "price": _money(line.unit_price),
            }
            for line in order.lines
        ],
        "delivery": {"method": order.delivery_method, "trackingNumber": order.tracking_number},
        "address": _address(order.address),
        "subtotal": _money(order.subtotal),
        "discount": {"code": order.discount.code, "saved": _money(order.discount.saved)} if order.discount else None,
        "tax": _money(order.tax),
        "shippingCost": _money(order.shipping),
        "total": _money(order.total),
        "payment": {"status": order.payment.status, "method": order.payment.method},
        "invoiceNumber": order.invoice_number,
        "history": [{"status": entry.status, "at": entry.at.isoformat()} for entry in order.history],
    }


def _review(review: Review) -> dict[str, Any]:
    return {
        "productId": review.product_id,
        "orderId": review.order_id,
        "stars": review.words.stars,
        "title": review.words.title,
        "text": review.words.text,
        "author": review.words.author,
        "status": review.status,
        "createdAt": review.created_at.isoformat(),
    }


def _cart(owner: Owner, now: datetime) -> list[dict[str, Any]]:
    lines = carts.open_cart(owner=owner, now=now).lines
    return [{"productId": line.product_id, "name": line.name, "quantity": line.quantity} for line in lines]


def _checkout(owner: Owner, now: datetime) -> dict[str, Any]:
    details = queries.checkout_details(owner=owner, now=now)
    return {
        "email": details.email,
        "phone": details.phone,
        "address": _address(details.address) if details.address else None,
        "delivery": details.delivery,
    }


def _address(address: Address) -> dict[str, str]:
    return {
        "name": address.name,
        "street": address.street,
        "street2": address.street2,
        "city": address.city,
        "state": address.state,
        "zipCode": address.zip_code,
        "country": address.country,
    }


def _money(money: Money) -> dict[str, str]:
    return {"amount": str(money.amount), "currency": money.currency}
