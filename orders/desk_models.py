"""Rows the staff's desk needs beside the orders themselves: words that find an order, and notes only staff see."""

from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from orders.models import OrderMeta, ref_pk
from shop.lib.answers import AnswerRow
from shop.lib.attributes import TimeAttribute, time_text
from shop.lib.mail_log import MailRow
from shop.lib.tables import Row


class WordRow(Row):
    """A word an order can be found by: its shopper's e-mail address, a part of the name it goes to."""

    class Meta(OrderMeta):
        pass

    order_id = UnicodeAttribute(attr_name="orderId")


class NoteRow(Row):
    """What staff wrote down about an order, for staff."""

    class Meta(OrderMeta):
        pass

    text = UnicodeAttribute()
    actor = UnicodeAttribute()
    at = TimeAttribute()


class OrderMailRow(MailRow):
    """A mail about an order."""

    class Meta(OrderMeta):
        pass


class OrderAnswerRow(AnswerRow):
    """A write to an order that is done once: what another system was answered, or a press of a staff form's button."""

    class Meta(OrderMeta):
        pass


def word_pk(word: str) -> str:
    return f"WORD#{word}"


def word_row(word: str, order_id: str) -> WordRow:
    # Not an order's own sort key, by which the stream knows orders.
    return WordRow(word_pk(word), f"FINDS#{order_id}", order_id=order_id)


def note_sk(at: str = "", note_id: str = "") -> str:
    """The sort key of a note; without arguments, what all of them begin with."""
    return f"NOTE#{at}#{note_id}" if note_id else "NOTE#"


def note_row(order_id: str, *, note_id: str, text: str, actor: str, at: datetime) -> NoteRow:
    return NoteRow(ref_pk(order_id), note_sk(time_text(at), note_id), text=text, actor=actor, at=at)
