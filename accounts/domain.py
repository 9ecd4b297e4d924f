"""Who somebody is, what they may do, and what makes a password and an address good: pure rules."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from enum import StrEnum

from shop.lib.places import COUNTRIES, country_code
from shop.lib.viewer import Permission, Viewer


class Role(StrEnum):
    """What somebody may do at the most."""

    CUSTOMER = "customer"
    STAFF = "staff"
    ADMIN = "admin"


class UserStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.CUSTOMER: frozenset(),
    # What staff may be given, one by one; each person's own are kept with them.
    Role.STAFF: frozenset(Permission) - {Permission.STAFF_MANAGE, Permission.SETTINGS_EDIT},
    # An admin has all of them without being given any.
    Role.ADMIN: frozenset(Permission),
}
_RANKS = (Role.CUSTOMER, Role.STAFF, Role.ADMIN)


def permissions_of(role: Role, granted: Iterable[str]) -> frozenset[Permission]:
    """What somebody of this role may do who was given these permissions; words we do not know (any more) give nothing."""
    if role is Role.ADMIN:
        return PERMISSIONS[role]
    known = {permission.value for permission in Permission}
    return PERMISSIONS[role] & {Permission(word) for word in granted if word in known}


def may_edit(editor: Viewer, user: "User") -> bool:
    """Whether somebody may change another person's account: never that of a person above them, nor their own role."""
    return (
        editor.may(Permission.STAFF_MANAGE)
        and editor.user_id != user.user_id
        and user.role in _RANKS[: _RANKS.index(Role(editor.role)) + 1]
        and user.permissions <= editor.permissions
    )


def may_grant(editor: Viewer, *, role: Role, permissions: frozenset[Permission]) -> bool:
    """Whether somebody may make another person this: nobody gives a role above their own or a permission they lack."""
    return (
        editor.may(Permission.STAFF_MANAGE)
        and role in _RANKS[: _RANKS.index(Role(editor.role)) + 1]
        and permissions <= PERMISSIONS[role]
        and permissions_of(role, permissions) <= editor.permissions
    )


def may_look_after(editor: Viewer, user: "User") -> bool:
    """Whether somebody may shut another person out, end their sessions or send them a link for a new password."""
    is_customer = user.role is Role.CUSTOMER and editor.may(Permission.CUSTOMERS_EDIT) and editor.user_id != user.user_id
    return is_customer or may_edit(editor, user)


def may_change_among_others(editor: Viewer, user: "User") -> bool:
    """Whether somebody may shut another person out, or let them in, as one of several: customers alone, whoever asks."""
    return user.role is Role.CUSTOMER and may_look_after(editor, user)


def may_hand_out(editor: Viewer, user: "User") -> bool:
    """Whether somebody may hand out what is kept about another person, or erase their account: customers' alone."""
    return editor.may(Permission.CUSTOMERS_DATA) and user.role is Role.CUSTOMER and editor.user_id != user.user_id


@dataclass(frozen=True, slots=True)
class PersonNote:
    """What staff wrote down about somebody."""

    text: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SavedAddress:
    """An entry of the address book."""

    address_id: str
    kind: str
    street: str
    city: str
    state: str
    zip_code: str
    country: str
    is_default: bool
    name: str = ""
    street2: str = ""

    @property
    def country_name(self) -> str:
        """The country as people read it; one we do not know as it stands."""
        return COUNTRIES.get(country_code(self.country), self.country)


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A card Stripe keeps for somebody; all we know of it."""

    method_id: str
    kind: str
    last4: str
    brand: str
    expiry_month: int
    expiry_year: int
    is_default: bool


_OPENING = timedelta(minutes=1)
"""Whoever confirms a new account is signed in to it at once: that is no return."""


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account. Who is asked only who they are is read without password, address book and cards."""

    user_id: str
    email: str
    first_name: str
    last_name: str
    role: Role
    status: UserStatus
    created_at: datetime
    password_hash: str = field(default="", repr=False)
    phone: str = ""
    addresses: tuple[SavedAddress, ...] = ()
    cards: tuple[SavedCard, ...] = ()
    book_version: int = 0
    """Counts changes of the address book."""
    last_login: datetime | None = None
    granted: frozenset[str] = frozenset()
    """Permissions given to a member of staff by name."""
    credentials: int = 0
    """Counts changes of password and address: sessions and links of an earlier count are dead."""
    factor: str = ""
    """Names the authenticator that is on: each set-up has a name of its own. Empty without one."""
    stripe_customer_id: str = ""
    subject: str = ""
    """Who they are at the provider staff sign in with; empty for who signs in with a password here."""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def has_second_factor(self) -> bool:
        return bool(self.factor)

    @property
    def is_active(self) -> bool:
        return self.status is UserStatus.ACTIVE

    @property
    def is_unused(self) -> bool:
        """Whether nothing tells of somebody behind it: no sign-in but the one that opened it, no address, phone, card or payment.

        An order placed as a guest that became the account's does not show here.
        """
        came_back = self.last_login is not None and self.last_login - self.created_at > _OPENING
        return not (came_back or self.addresses or self.phone or self.cards or self.stripe_customer_id)

    @property
    def permissions(self) -> frozenset[Permission]:
        return permissions_of(self.role, self.granted)


# --- Sessions ---------------------------------------------------------------------------------------------------------

LONG_SESSION = timedelta(days=30)
"""How long "stay signed in" lasts without a visit."""
SHORT_SESSION = timedelta(days=1)
"""How long a session without it lasts at most unvisited; the browser forgets it when it is closed."""
FRESH = timedelta(minutes=10)
"""How long after signing in an authenticator can be set up without giving the password again."""
PROVIDED_SESSION = timedelta(hours=12)
"""How long a session lasts, visited or not, that another provider vouched for: then it is asked again, and may say no."""
GRACE = timedelta(seconds=20)
"""How long a rotated refresh token still works: tabs and fragments of one page renew at once, and no request takes longer."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser (or program) somebody is signed in with."""

    session_id: str
    user_id: str
    current: str
    """The id of the one refresh token that counts."""
    previous: str
    rotated_at: datetime
    credentials: int
    is_long: bool
    factor: str
    """The authenticator whose code was given in it; empty when none was."""
    user_agent: str
    source: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    is_provided: bool = False
    """Whether another provider vouched for its owner."""

    @property
    def lifetime(self) -> timedelta:
        return LONG_SESSION if self.is_long else SHORT_SESSION

    def end(self, now: datetime) -> datetime:
        """When it ends, unless it is visited once more."""
        end = now + self.lifetime
        return min(end, self.created_at + PROVIDED_SESSION) if self.is_provided else end

    def is_alive(self, user: User, now: datetime) -> bool:
        """Whether it still lets its owner in."""
        return self.expires_at > now and user.is_active and self.credentials == user.credentials

    def is_fresh(self, now: datetime) -> bool:
        """Whether its owner gave the password a moment ago."""
        return now - self.created_at <= FRESH

    def has_second_factor(self, user: User) -> bool:
        """Whether its owner gave a code of the authenticator that is on now, not of an earlier one; the second factor of who
        signs in at another provider is the provider's."""
        return self.is_provided or (user.has_second_factor and self.factor == user.factor)


class Refresh(StrEnum):
    """What a refresh token is to its session."""

    CURRENT = "current"
    JUST_ROTATED = "just rotated"
    REPLAYED = "replayed"


def refresh_of(session: Session, token_id: str, now: datetime) -> Refresh:
    """Current, rotated a moment ago by another tab, or used a second time: then somebody else may have it."""
    if token_id == session.current:
        return Refresh.CURRENT
    if token_id == session.previous and now - session.rotated_at <= GRACE:
        return Refresh.JUST_ROTATED
    return Refresh.REPLAYED


# --- People another provider vouches for -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody a provider vouches for, in its words."""

    subject: str
    """Who they are there, whatever becomes of name and address."""
    email: str
    is_email_verified: bool
    first_name: str
    last_name: str
    groups: frozenset[str]


def rights_of_groups(
    groups: Iterable[str], table: Mapping[str, frozenset[Permission]]
) -> tuple[Role, frozenset[Permission]] | None:
    """What members of these groups are here, by the table of what each may do; None when that is nothing."""
    permissions = frozenset[Permission]().union(*(table.get(group, frozenset()) for group in groups))
    if permissions == PERMISSIONS[Role.ADMIN]:
        return Role.ADMIN, permissions
    permissions &= PERMISSIONS[Role.STAFF]
    return (Role.STAFF, permissions) if permissions else None


# --- Addresses of people ----------------------------------------------------------------------------------------------


class BadEmail(Exception):
    """This can be nobody's e-mail address."""


_DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


def normalised_domain(words: str) -> str:
    """The end of the addresses at a domain that was typed as `@example.com`, in their one form. Raises BadEmail."""
    local, at, domain = words.strip().rpartition("@")
    if local or not at:
        raise BadEmail(words)
    return normalised_email(f"x@{domain}").removeprefix("x")


def normalised_email(email: str) -> str:
    """The one form of an address that all its spellings share: Unicode NFKC, no case, the domain as it stands in the DNS.

    Used to find and to claim, never to send to: mails go to the address as its owner wrote it. Raises BadEmail.
    """
    local, at, domain = unicodedata.normalize("NFKC", email.strip()).rpartition("@")
    # Folding case can undo the normal form, so it is made once more.
    local = unicodedata.normalize("NFKC", local.casefold())
    try:
        ascii_domain = domain.casefold().rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise BadEmail(email) from None
    if not (local and at and _DOMAIN.fullmatch(ascii_domain)) or any(
        char.isspace() or unicodedata.category(char) == "Cc" for char in local
    ):
        raise BadEmail(email)
    return f"{local}@{ascii_domain}"


# --- Passwords --------------------------------------------------------------------------------------------------------

PASSWORD_LEAST, PASSWORD_MOST = 8, 1024
_TOO_SIMILAR = 0.7
_TELLING_LENGTH = 4


class BadPassword(Exception):
    """A password we do not take; the message tells the person why and what to do."""


def require_good_password(password: str, *, about: Iterable[str]) -> None:
    """Refuse a password that is too short, too long or much like what everybody knows of its owner. Raises BadPassword."""
    length = len(unicodedata.normalize("NFKC", password))
    if length < PASSWORD_LEAST:
        raise BadPassword(f"Please use {PASSWORD_LEAST} characters or more. A few words in a row are easy to remember.")
    if length > PASSWORD_MOST:
        raise BadPassword(f"Please use {PASSWORD_MOST} characters at most.")
    for text in about:
        if _is_like(password.casefold(), text.casefold()):
            raise BadPassword("This is too close to your name or e-mail address. Please choose something else.")


def _is_like(password: str, known: str) -> bool:
    for part in {known, *known.replace("@", ".").split(".")}:
        # Comparing a very long text with a short one takes time and says nothing.
        if len(part) < _TELLING_LENGTH or len(password) > 10 * len(part):
            continue
        if SequenceMatcher(a=password, b=part).quick_ratio() >= _TOO_SIMILAR:
            return True
    return False


# --- Limits -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limit:
    """How often something may be tried: `free` times at once, then after a pause that doubles each time."""

    free: int
    first_pause: timedelta
    longest_pause: timedelta
    forgets_after: timedelta


@dataclass(frozen=True, slots=True)
class Tries:
    """How often something was tried, and from when on it may be tried again."""

    count: int = 0
    next_at: datetime | None = None


def tried_once_more(tries: Tries, limit: Limit, now: datetime) -> Tries | None:
    """The tries with one more of now; None when it is too early."""
    if tries.next_at is not None and now < tries.next_at:
        return None
    count = tries.count + 1
    over = count - limit.free
    if over < 0:
        return Tries(count)
    return Tries(count, now + min(limit.first_pause * 2 ** min(over, 30), limit.longest_pause))
