"""Shapes of what the account pages accept from a browser. Rules about passwords and addresses are in `domain`."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.domain import PASSWORD_MOST, BadEmail, normalised_email
from shop.lib import fields
from shop.lib.fields import no_control_characters


class EmailField(fields.EmailField):
    """An e-mail address that an account can have."""

    def clean(self, value: Any) -> str:
        """As any e-mail address; then the closer look, so that one mistake is told once."""
        email = str(super().clean(value))
        try:
            normalised_email(email)
        except BadEmail:
            raise ValidationError(fields.NOT_AN_EMAIL) from None
        return email


class PasswordField(forms.CharField):
    """A password, exactly as typed: blanks at its ends belong to it."""

    def __init__(self, *, label: str = "Password", is_new: bool = False, help_text: str = "") -> None:
        super().__init__(
            label=label,
            strip=False,
            max_length=PASSWORD_MOST,
            help_text=help_text,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password" if is_new else "current-password"}),
            error_messages={
                "required": "Please give a password." if is_new else "Please give your password.",
                "max_length": f"Please use {PASSWORD_MOST} characters at most.",
            },
        )


class NameField(forms.CharField):
    """A part of a name: the reader's own, unless `whose` says otherwise."""

    def __init__(self, *, label: str, autocomplete: str, whose: str = "your") -> None:
        super().__init__(
            label=label,
            max_length=60,
            validators=[no_control_characters],
            widget=forms.TextInput(attrs={"autocomplete": autocomplete}),
            error_messages={"required": f"Please give {whose} {label.lower()}."},
        )


_PASSWORD_HINT = "Eight characters or more. A few words in a row are good and easy to remember."  # noqa: S105 - a hint


class LoginForm(forms.Form):
    """Who you are."""

    email = EmailField(autocomplete="username")
    password = PasswordField()
    stay = forms.BooleanField(label="Stay signed in on this device", required=False)


class RegisterForm(forms.Form):
    """A new account."""

    first_name = NameField(label="First name", autocomplete="given-name")
    last_name = NameField(label="Last name", autocomplete="family-name")
    email = EmailField()
    password = PasswordField(is_new=True, help_text=_PASSWORD_HINT)


class EmailForm(forms.Form):
    """Whose password is forgotten."""

    email = EmailField()


class PasswordForm(forms.Form):
    """The password once more."""

    password = PasswordField()


class NewPasswordForm(forms.Form):
    """A new password."""

    password = PasswordField(label="New password", is_new=True, help_text=_PASSWORD_HINT)


class ChangePasswordForm(forms.Form):
    """A new password, by the old one."""

    password = PasswordField(label="Your password so far")
    new_password = PasswordField(label="New password", is_new=True, help_text=_PASSWORD_HINT)


class ChangeEmailForm(forms.Form):
    """Another e-mail address."""

    email = EmailField(label="New e-mail address")
    password = PasswordField()


class CodeForm(forms.Form):
    """Six digits of the authenticator, or a recovery code."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text", "autocapitalize": "off"}),
        error_messages={"required": "Please give the code."},
    )


class SetUpForm(CodeForm):
    """The first code of an authenticator, by who signed in a while ago."""

    password = PasswordField(label="Your password")


class SessionForm(forms.Form):
    """Which session to end."""

    session_id = forms.RegexField(r"^ses-[0-9a-z]{5,40}$")


def add_problem(form: forms.Form, field: str | None, words: Any) -> None:
    """Show a refusal of a service at the field it is about."""
    form.add_error(field, ValidationError(str(words)))
