"""Mails about accounts. All have one shape: a heading, a few sentences, at most one button, and why one gets it.

Links begin with the site's own origin. Mails go to the address as its owner wrote it, never as somebody typed it at a form.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from accounts.domain import User
from shop.lib import mails


@dataclass(frozen=True, slots=True)
class Button:
    words: str
    url: str


KIND_WORDS = {
    "verify": "Confirm an address",
    "has_account": "There is an account",
    "reset": "New password",
    "invitation": "Invitation of staff",
    "password_changed": "Password changed",
    "linked": "Signs in another way",
    "new_device": "New sign-in",
    "factor_on": "Authenticator on",
    "factor_off": "Authenticator off",
    "email_change_old": "Another address? (old)",
    "email_change_new": "Another address? (new)",
    "email_changed": "Address changed",
    "account_deleted": "Account deleted",
}
"""What staff call each kind."""
INVITED = "invited=1"
"""What the link of an invitation adds to that of a new password: its page then says welcome."""
_NOT_YOU = "If this was not you, you need not do anything: without the link nothing happens."
_ALARM = "If this was not you, set a new password now. That signs everybody out, and only who reads your mail can do it."


def link_url(name: str, secret: str) -> str:
    """The address in a mail that carries a secret; on the shop's fixed origin."""
    return f"{settings.SITE_ORIGIN}{reverse(f'accounts:{name}', args=[secret])}"


def send_verify(*, to: str, secret: str, onward: str = "") -> None:
    """The link that opens an account and leads on to a page. Raises what the mail backend raises, as all of these do.

    It goes to an address anybody may have typed, so it says nothing that whoever typed it may have written.
    """
    _send(
        to,
        kind="verify",
        subject=f"Open your {settings.SHOP_NAME} account",
        heading="One step to your account",
        sentences=[
            "Hello, please confirm that this address is yours. You will be asked for the password you chose.",
            "The link works for 24 hours.",
        ],
        button=Button("Confirm my address", _leading_on(link_url("verify", secret), onward)),
        why=f"Somebody gave this address to open an account. {_NOT_YOU}",
    )


def send_has_account(user: User, *, onward: str = "") -> None:
    """To who registers again: nothing new was made."""
    _send(
        user.email,
        kind="has_account",
        subject=f"You have a {settings.SHOP_NAME} account already",
        heading="You have an account already",
        sentences=[
            f"Hello {user.first_name}, somebody, most likely you, just tried to open an account with this address.",
            "There is one, so nothing was changed. If you forgot its password, you can set a new one.",
        ],
        button=(
            Button("Sign in and go on", _leading_on(_url("login"), onward))
            if onward
            else Button("Set a new password", _url("password_reset"))
        ),
        why="Somebody gave this address to open an account. If it was not you, you need not do anything.",
    )


def send_reset(user: User, secret: str) -> None:
    """The link that sets a new password."""
    _send(
        user.email,
        kind="reset",
        subject=f"Set a new password at {settings.SHOP_NAME}",
        heading="Set a new password",
        sentences=[
            f"Hello {user.first_name}, here is the link you asked for. It works once, for ten minutes.",
            "With the new password every browser is signed out.",
        ],
        button=Button("Choose a new password", link_url("reset", secret)),
        why=f"Somebody asked for a new password with this address. {_NOT_YOU}",
    )


def send_invitation(user: User, secret: str) -> None:
    """The link by which a new member of staff sets their first password."""
    _send(
        user.email,
        kind="invitation",
        subject=f"You are invited to {settings.SHOP_NAME}'s staff pages",
        heading="Welcome to the team",
        sentences=[
            f"Hello {user.first_name}, you have an account at {settings.SHOP_NAME} that opens its staff pages.",
            "Please choose a password for it. The link works once, for seven days.",
        ],
        button=Button("Choose a password", f"{link_url('reset', secret)}?{INVITED}"),
        why="A member of staff gave your address. If you do not know of it, you need not do anything.",
    )


def send_password_changed(user: User) -> None:
    """To the owner of an account whose password is another now."""
    _send(
        user.email,
        kind="password_changed",
        subject=f"Your password at {settings.SHOP_NAME} was changed",
        heading="Your password was changed",
        sentences=[f"Hello {user.first_name}, your password was just changed, and other browsers were signed out.", _ALARM],
        button=Button("This was not me", _url("password_reset")),
        why="You get this mail whenever your password changes.",
    )


def send_linked(user: User) -> None:
    """To the owner of an account that staff's sign-in elsewhere opens from now on."""
    _send(
        user.email,
        kind="linked",
        subject=f"You sign in to {settings.SHOP_NAME} another way now",
        heading="You sign in another way now",
        sentences=[
            f"Hello {user.first_name}, you have just come in by the staff sign-in for the first time. "
            "From now on it is the only way into your account: its password does not work any more, "
            "and other browsers were signed out.",
            f"If this was not you, please write to {settings.SUPPORT_EMAIL} at once.",
        ],
        button=Button("Sign in", _url("login")),
        why="You get this mail whenever the way you sign in changes.",
    )


def send_new_device(user: User, *, device: str, source: str, at: str) -> None:
    """To somebody who signed in with a browser we had not seen before."""
    where = f" near {source}" if source else ""
    _send(
        user.email,
        kind="new_device",
        subject=f"A new sign-in at {settings.SHOP_NAME}",
        heading="You signed in on a new device",
        sentences=[f"Hello {user.first_name}, somebody signed in to your account with {device}{where}, on {at}.", _ALARM],
        button=Button("See where I am signed in", _url("sessions")),
        why="You get this mail when a browser signs in to your account for the first time.",
    )


def send_factor_on(user: User) -> None:
    """To the owner of an account that asks for an authenticator from now on."""
    _send(
        user.email,
        kind="factor_on",
        subject=f"Your {settings.SHOP_NAME} account has an authenticator now",
        heading="An authenticator is on",
        sentences=[
            f"Hello {user.first_name}, from now on your account asks for a code of your authenticator beside the password.",
            "Every browser but the one it was set up in was signed out.",
            "If this was not you, answer this mail and set a new password: we then take the authenticator away.",
        ],
        button=Button("This was not me", _url("password_reset")),
        why="You get this mail whenever an authenticator is set up for your account.",
    )


def send_factor_off(user: User) -> None:
    """To the owner of an account that asks for the password alone again."""
    _send(
        user.email,
        kind="factor_off",
        subject=f"Your {settings.SHOP_NAME} account has no authenticator any more",
        heading="Your authenticator is off",
        sentences=[
            f"Hello {user.first_name}, your password alone signs you in again.",
            "You turned the authenticator off, or somebody of our staff did because you asked them.",
            _ALARM,
        ],
        button=Button("This was not me", _url("password_reset")),
        why="You get this mail whenever the authenticator of your account is taken away.",
    )


def send_email_change_old(user: User, *, new_email: str, secret: str) -> None:
    """To the address somebody wants to leave."""
    _send(
        user.email,
        kind="email_change_old",
        subject=f"Another e-mail address for your {settings.SHOP_NAME} account?",
        heading="Another address for your account?",
        sentences=[
            f"Hello {user.first_name}, your account shall belong to {new_email} from now on.",
            "Please agree here, and follow the link we sent to the new address. Both work for 24 hours.",
        ],
        button=Button("Yes, change it", link_url("email_old", secret)),
        why=f"Somebody who is signed in to your account asked for this. {_NOT_YOU}",
    )


def send_email_change_new(*, new_email: str, secret: str) -> None:
    """To the address somebody wants to use: nobody has confirmed it, so no name of theirs is in it."""
    _send(
        new_email,
        kind="email_change_new",
        subject=f"Confirm your new address at {settings.SHOP_NAME}",
        heading="Confirm your new address",
        sentences=[
            "Hello, please confirm that this address is yours.",
            "We also wrote to the address so far: your account changes when both links were followed. Both work for 24 hours.",
        ],
        button=Button("Confirm my address", link_url("email_new", secret)),
        why=f"Somebody gave this address for their account. {_NOT_YOU}",
    )


def send_account_deleted(user: User) -> None:
    """To who has left."""
    _send(
        user.email,
        kind="account_deleted",
        subject=f"Your {settings.SHOP_NAME} account is deleted",
        heading="Your account is deleted",
        sentences=[
            f"Hello {user.first_name}, as you asked, your account with its addresses and saved cards is deleted.",
            "Orders you paid stay in our books for as long as the law wants.",
        ],
        button=None,
        why="You get this mail because this was the address of your account. If you did not ask for it, please answer it.",
    )


def send_email_changed(user: User, *, to: str, new_email: str) -> None:
    """To both addresses, when the account has moved."""
    _send(
        to,
        kind="email_changed",
        subject=f"Your {settings.SHOP_NAME} account has a new address",
        heading="Your address was changed",
        sentences=[f"Hello {user.first_name}, your account now belongs to {new_email}. Please sign in with it from now on."],
        button=None,
        why="You get this mail because this address was, or is, the one of your account. If you did not agree, please answer it.",
    )


def _send(to: str, *, kind: str, subject: str, heading: str, sentences: list[str], button: Button | None, why: str) -> None:
    context = {"subject": subject, "heading": heading, "sentences": sentences, "button": button, "why": why}
    mails.send("accounts/emails/notice", to=to, context=context, kind=kind)


def _leading_on(url: str, onward: str) -> str:
    return f"{url}?{urlencode({'next': onward})}" if onward else url


def _url(name: str) -> str:
    return f"{settings.SITE_ORIGIN}{reverse(f'accounts:{name}')}"
