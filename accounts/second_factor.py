"""A second proof beside the password: six digits of an authenticator (TOTP, RFC 6238), or one of ten recovery codes.

The authenticator's secret is kept encrypted, recovery codes as their hashes. Each code works once.
"""

import base64
import hmac
import secrets
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from pynamodb.exceptions import DoesNotExist, UpdateError

from accounts.domain import Session, User
from accounts.limits import Kind, count_try, forget_tries
from accounts.links import hash_of
from accounts.maps import SecondFactorMap
from accounts.models import FACTOR, LAST_STEP, PROFILE_SK, RECOVERY, UserRow, to_user, user_key, user_pk
from accounts.queries import UserNotFound
from accounts.services import require_own_password
from shop.lib.ids import new_id
from shop.lib.tables import is_refused

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_STEP_SECONDS = 30
_RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
_DIGITS = 6
_SETUP_SECONDS = 15 * 60


class WrongCode(Exception):
    """Not the code of this moment, or one that was used already."""


class SetupOver(Exception):
    """Setting up took too long, or was done in another tab."""


def new_setup(*, user: User) -> tuple[str, str]:
    """A new authenticator's secret, and the same sealed for the form to bring back: nothing is kept before the first code."""
    import pyotp

    secret = pyotp.random_base32()
    return secret, _boxes().encrypt(f"{user.user_id} {secret}".encode()).decode()


def secret_of(*, setup: str, user: User) -> str:
    """The secret of a sealed setup. Raises SetupOver for one that is too old, forged or another person's."""
    from cryptography.fernet import InvalidToken

    try:
        user_id, secret = _boxes().decrypt(setup.encode(), ttl=_SETUP_SECONDS).decode().split()
    except (InvalidToken, ValueError):
        raise SetupOver from None
    if user_id != user.user_id:
        raise SetupOver
    return secret


def address_for_authenticator(*, secret: str, user: User) -> str:
    """What the QR code says."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=settings.SHOP_NAME)


def turn_on(
    *, user: User, session: Session, setup: str, code: str, password: str = "", now: datetime
) -> tuple[User, tuple[str, ...]]:
    """Ask for the second proof from now on; its owner, and the recovery codes, shown this once.

    Unless they have signed in a moment ago they prove that it is them: whoever finds an open browser must not shut its owner
    out. Raises WrongPassword, WrongCode, SetupOver, TooManyTries.
    """
    secret = secret_of(setup=setup, user=user)
    if not session.is_fresh(now):
        require_own_password(user=user, password=password, now=now)
    count_try(Kind.CODE, f"second {user.user_id}", now=now)
    step = _matching_step(secret, code, now)
    if step is None:
        raise WrongCode
    codes = tuple(_new_recovery_code() for _ in range(_RECOVERY_CODES))
    kept = SecondFactorMap(
        id=new_id("factor", now),
        secret=_boxes().encrypt(secret.encode()).decode(),
        recovery=[hash_of(_plain(one)) for one in codes],
        last_step=step,
    )
    try:
        user_key(user.user_id).update(
            actions=[UserRow.second_factor.set(kept)],
            condition=UserRow.pk.exists() & UserRow.second_factor.does_not_exist(),
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        raise SetupOver from error
    forget_tries(Kind.CODE, f"second {user.user_id}")
    return replace(user, factor=kept.id), codes


def turn_off(*, user: User) -> None:
    """Ask for the password alone from now on. Sessions proven with this authenticator count as proven no more."""
    try:
        user_key(user.user_id).update(actions=[UserRow.second_factor.remove()], condition=user.factor == FACTOR)
    except UpdateError as error:
        if not is_refused(error):  # turned off, or set up anew, in another tab
            raise


def use_code(*, user_id: str, code: str, now: datetime) -> User:
    """Whose code this is; it is used up. Raises WrongCode, TooManyTries, UserNotFound."""
    count_try(Kind.CODE, f"second {user_id}", now=now)
    row = _row(user_id)
    if row.second_factor is None or not _use_up(row, code, now):
        raise WrongCode
    forget_tries(Kind.CODE, f"second {user_id}")
    return to_user(row)


def recovery_codes_left(*, user_id: str) -> int:
    """How many recovery codes were not used yet. Raises UserNotFound."""
    row = _row(user_id)
    return len(row.second_factor.recovery) if row.second_factor else 0


def _row(user_id: str) -> UserRow:
    try:
        return UserRow.get(user_pk(user_id), PROFILE_SK, consistent_read=True)
    except DoesNotExist:
        raise UserNotFound(user_id) from None


def _use_up(row: UserRow, code: str, now: datetime) -> bool:
    factor = row.second_factor
    step = _matching_step(_boxes().decrypt(factor.secret.encode()).decode(), code, now)
    if step is not None:
        if step <= factor.last_step:
            return False
        action, condition = LAST_STEP.set(step), factor.last_step == LAST_STEP
    else:
        left = [kept for kept in factor.recovery if not hmac.compare_digest(kept, hash_of(_plain(code)))]
        if len(left) == len(factor.recovery):
            return False
        action, condition = RECOVERY.set(left), list(factor.recovery) == RECOVERY
    try:
        user_key(row.user_id).update(actions=[action], condition=condition & (factor.id == FACTOR))
    except UpdateError as error:
        if not is_refused(error):
            raise
        return False  # the same code, used a moment ago
    return True


def _matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The half minute whose code this is: this one, the last or the next, as clocks differ."""
    import pyotp

    digits = "".join(code.split())
    if len(digits) != _DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    here = int(now.timestamp()) // _STEP_SECONDS
    hotp = pyotp.HOTP(secret)
    return next((step for step in (here, here - 1, here + 1) if hmac.compare_digest(hotp.at(step), digits)), None)


def _new_recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _plain(code: str) -> str:
    return "".join(char for char in code.lower() if char.isalnum())


def _boxes() -> "MultiFernet":
    """What seals with a key of the settings' secret, and opens with those of earlier ones as well."""
    from cryptography.fernet import Fernet, MultiFernet  # a whole library, which visitors need not wait for

    keys = (
        hmac.digest(secret.encode(), b"shop.second-factor", "sha256")
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
