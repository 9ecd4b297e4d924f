"""What the staff's desk keeps beside the orders: words they are found by, and notes. Written here alone."""

from datetime import datetime

from cart import discounts
from orders.desk_models import note_row, word_row
from orders.domain import Order
from shop.lib.ids import new_record_id
from shop.lib.words import findable_number, findable_words


def add_note(*, order: Order, text: str, actor: str, now: datetime) -> None:
    """Keep a note about an order, for staff."""
    note_row(order.order_id, note_id=new_record_id("note"), text=text, actor=actor, at=now).save()


def remember_words(*, order: Order) -> None:
    """Let an order be found by e-mail address and name. Safe to repeat."""
    for word in findable_words(order.email, order.address.name):
        word_row(word, order.order_id).save()


def remember_number(*, order_id: str, number: str) -> None:
    """Let an order be found by the number of a paper or parcel of its own; without one nothing is done. Safe to repeat."""
    if word := findable_number(number):
        word_row(word, order_id).save()


def note_use_of_code(*, order: Order) -> None:
    """Let staff see the order where they see its discount code. Safe to repeat."""
    if order.discount:
        discounts.note_use(
            code=order.discount.code,
            order_id=order.order_id,
            placed_at=order.created_at,
            saved=order.discount.saved,
            is_returned=order.discount_returned,
        )
