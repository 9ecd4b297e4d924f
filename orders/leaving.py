"""Somebody leaves: what is theirs goes, what the books need stays."""

import logging
from datetime import datetime

from accounts import closing, staffing
from accounts import queries as accounts
from accounts import services as account_services
from accounts.domain import Role, User
from cart import services as cart_services
from orders import customers, queries
from orders.models import checkout_key
from orders.moving import OrderMoved
from orders.paying import cancel_unpaid
from shop.lib.owner import Owner
from shop.lib.viewer import Viewer

logger = logging.getLogger(__name__)


class StaffAccount(Exception):
    """The account is staff's: the audit trail names it, so another admin takes its rights away first."""


class HasOrdered(Exception):
    """There are orders in the account: it is erased by itself, by who has looked at them."""


def leave(*, viewer: Viewer, password: str, now: datetime) -> None:
    """Delete an account for good, proven by its password.

    Unpaid orders are given up, the customer at Stripe goes with its cards, then cart and checkout, and last of all, in one
    transaction, the profile and its claim to the address. Until then the account signs in, so that a deletion that died on the
    way is simply asked for again. Orders stay, as the law wants, under a number that nobody is any more.

    Raises WrongPassword, TooManyTries, SessionEnded, StaffAccount, PaymentsUnavailable, PaymentRefused, Busy.
    """
    user, session = accounts.live_session(user_id=viewer.user_id, session_id=viewer.session_id, now=now)
    account_services.require_own_password(user=user, password=password, now=now)
    if user.role is not Role.CUSTOMER:
        raise StaffAccount(user.user_id)
    _let_go(user, now)
    closing.close_account(user=user, session_id=session.session_id)
    logger.info("account %s was deleted by its owner", user.user_id)


def erase(*, editor: Viewer, user_id: str, now: datetime) -> None:
    """Delete a customer's account for them, the same way, with an entry in the audit trail. Raises UserNotFound, NotAllowed,
    SessionEnded (they changed password or address at this moment), PaymentsUnavailable, PaymentRefused, Busy.
    """
    user = accounts.user(user_id=user_id)
    entry = staffing.erasure_of(editor=editor, user=user, now=now)
    _let_go(user, now)
    closing.close_account(user=user, entry=entry)
    logger.info("account %s was deleted by staff", user.user_id)


def erase_unused(*, editor: Viewer, user: User, now: datetime) -> None:
    """The same for one of several, as they were just read: only who is shut out, so that nothing can be ordered meanwhile, and
    has never ordered. Raises HasOrdered, and what `erase` raises.
    """
    if user.is_active:
        raise staffing.NotAllowed
    entry = staffing.erasure_of(editor=editor, user=user, now=now)
    if queries.has_ordered(owner=Owner(user.user_id, is_guest=False)):
        raise HasOrdered(user.user_id)
    _let_go(user, now)
    closing.close_account(user=user, entry=entry)
    logger.info("account %s was deleted by staff, among others", user.user_id)


def _let_go(user: User, now: datetime) -> None:
    """Everything of theirs that lies elsewhere."""
    owner = Owner(id=user.user_id, is_guest=False)
    _give_up_unpaid(owner, now)
    if user.stripe_customer_id:
        customers.delete_customer(user.stripe_customer_id)
    cart_services.forget_cart(owner=owner)
    checkout_key(owner).delete()


def _give_up_unpaid(owner: Owner, now: datetime) -> None:
    """Its payment page may name the customer that goes: nobody could pay there. Only the latest can still be waiting."""
    for order in queries.orders_of(owner=owner).items:
        if order.is_awaiting_payment:
            try:
                cancel_unpaid(order=order, now=now)
            except OrderMoved:  # paid or ended at this moment: it stays as it is
                logger.info("order %s moved while its owner left", order.order_id)
