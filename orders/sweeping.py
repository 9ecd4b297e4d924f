"""Several customers at once: shut out, let in again, erased. For the morning after a robot registered by the hundred.

Each is changed as one alone would be, with an entry of its own in the audit trail. Staff are never among them, nor is who asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from accounts import queries as accounts
from accounts import staffing
from accounts.domain import Role, User, UserStatus, may_change_among_others, may_hand_out
from accounts.queries import SessionEnded
from orders import leaving, queries
from orders.leaving import HasOrdered
from orders.payments import PaymentRefused, PaymentsUnavailable
from shop.lib.deadline import time_left
from shop.lib.owner import Owner
from shop.lib.tables import Busy, trouble_as_busy
from shop.lib.viewer import Viewer

MOST = accounts.LOOKED_THROUGH
"""Customers at once: as many as a page of their list shows."""
_RESERVE_SECONDS = 5.0
"""With less left of the request no further customer is begun: enough for the one at hand and for the page that tells."""
_MOVED = "changed by somebody else at this moment"
_ORDERED = "has ordered"


class Act(StrEnum):
    """What is done with all of them."""

    SHUT_OUT = "shut-out"
    LET_IN = "let-in"
    ERASE = "erase"


_STATUS = {Act.SHUT_OUT: UserStatus.DISABLED, Act.LET_IN: UserStatus.ACTIVE}
_SAME = {Act.SHUT_OUT: "is shut out already", Act.LET_IN: "may sign in already"}


@dataclass(frozen=True, slots=True)
class Ticked:
    """A customer among those ticked."""

    user: User
    has_ordered: bool
    obstacle: str
    """Why they are left alone, in words; empty for who is meant."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What became of them."""

    done: tuple[User, ...]
    left: tuple[tuple[User, str], ...]
    """Who was left alone, and why, in words."""
    gone: int
    """How many of them were not there any more."""
    unreached: tuple[User, ...]
    """Who was not begun with, for the time of a request was over."""


def look(*, act: Act, editor: Viewer, user_ids: Sequence[str]) -> tuple[Ticked, ...]:
    """Those ticked as they are at this moment, whether they have ordered, and who of them is left alone.

    One BatchGet, and a Query a customer: no index tells of several whether they have ordered.
    """
    users = accounts.people_by_ids(user_ids=user_ids[:MOST])
    found = [(user, queries.has_ordered(owner=Owner(user.user_id, is_guest=False))) for user in users]
    return tuple(Ticked(user, ordered, _obstacle(act, editor, user, has_ordered=ordered)) for user, ordered in found)


def sweep(*, act: Act, editor: Viewer, user_ids: Sequence[str], now: datetime) -> Swept:
    """Do it to one after the other, as long as the request has time. Who was changed meanwhile, or already is as wanted, is left
    alone, so that asking once more does no harm."""
    users = accounts.people_by_ids(user_ids=user_ids[:MOST])
    done, left, waiting = [], [], list(users)
    while waiting and time_left() >= _RESERVE_SECONDS:
        user = waiting.pop(0)
        obstacle = _obstacle(act, editor, user, has_ordered=False) or _refusal(act, editor, user, now)
        if obstacle:
            left.append((user, obstacle))
        else:
            done.append(user)
    return Swept(tuple(done), tuple(left), gone=len(user_ids[:MOST]) - len(users), unreached=tuple(waiting))


def _obstacle(act: Act, editor: Viewer, user: User, *, has_ordered: bool) -> str:
    """Why somebody is left alone, as they were read; empty for no reason."""
    if user.role is not Role.CUSTOMER:
        return "is staff"
    if not (may_hand_out if act is Act.ERASE else may_change_among_others)(editor, user):
        return "not yours to change"
    if act is not Act.ERASE:
        return _SAME[act] if user.status is _STATUS[act] else ""
    if user.is_active:
        return "is not shut out"
    return _ORDERED if has_ordered else ""


def _refusal(act: Act, editor: Viewer, user: User, now: datetime) -> str:
    """Do it to one of them; why it was not done, in words, or empty."""
    try:
        with trouble_as_busy():
            if act is Act.ERASE:
                leaving.erase_unused(editor=editor, user=user, now=now)
            else:
                staffing.change_customers_status(editor=editor, user=user, status=_STATUS[act], now=now)
    except (staffing.NotAllowed, SessionEnded):
        return _MOVED
    except HasOrdered:
        return _ORDERED
    except (PaymentsUnavailable, PaymentRefused):
        return "Stripe did not answer"
    except Busy:
        return "the tables were busy"
    return ""
