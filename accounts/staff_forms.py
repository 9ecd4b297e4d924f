"""Shapes of what staff send about people."""

from typing import Any

from django import forms

from accounts.domain import PERMISSIONS, BadEmail, Role, User, may_grant, normalised_domain, normalised_email
from accounts.forms import EmailField, NameField
from accounts.queries import CustomersAsked, Tab
from accounts.wording import PERMISSION_WORDS
from shop.lib.days import SpanForm
from shop.lib.viewer import Permission, Viewer

_SEEN_WITH = {
    Permission.PRODUCTS_EDIT: Permission.PRODUCTS_VIEW,
    Permission.STOCK_EDIT: Permission.PRODUCTS_VIEW,
    Permission.ORDERS_SHIP: Permission.ORDERS_VIEW,
    Permission.ORDERS_REFUND: Permission.ORDERS_VIEW,
    Permission.CUSTOMERS_EDIT: Permission.CUSTOMERS_VIEW,
    Permission.CUSTOMERS_DATA: Permission.CUSTOMERS_VIEW,
}
"""Without the second nobody finds the pages on which the first is done."""
_LONGEST_EMAIL = 254
_ROLE_WORDS = {
    Role.CUSTOMER: "Customer: no staff pages",
    Role.STAFF: "Staff: what is ticked below",
    Role.ADMIN: "Admin: everything",
}


class RightsForm(forms.Form):
    """A role and single permissions: offered is only what the editor may give."""

    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect, error_messages={"required": "Please choose a role."})
    permissions = forms.MultipleChoiceField(
        label="Permissions",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "You cannot give what you do not have yourself."},
    )

    def __init__(self, data: Any = None, *, editor: Viewer, user: User | None = None) -> None:
        initial = {"role": user.role, "permissions": sorted(user.granted)} if user else {"role": Role.STAFF}
        super().__init__(data, initial=initial)
        offered = Role if user else (Role.STAFF, Role.ADMIN)
        roles = [role for role in offered if may_grant(editor, role=role, permissions=frozenset())]
        self.fields["role"].choices = [(role.value, _ROLE_WORDS[role]) for role in roles]  # type: ignore[attr-defined]  # a ChoiceField, as above
        self.fields["permissions"].choices = [  # type: ignore[attr-defined]  # a ChoiceField, as above
            (permission.value, words)
            for permission, words in PERMISSION_WORDS.items()
            if permission in PERMISSIONS[Role.STAFF] & editor.permissions
        ]

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])

    def clean_permissions(self) -> frozenset[Permission]:
        return frozenset(map(Permission, self.cleaned_data["permissions"]))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("role") is Role.STAFF and cleaned.get("permissions") == frozenset():
            self.add_error("permissions", "Please tick what they may do, or nobody at all is let in.")
        elif cleaned.get("role") is Role.STAFF:
            self._require_sight(cleaned.get("permissions", frozenset()))
        if cleaned.get("role") in (Role.CUSTOMER, Role.ADMIN):
            cleaned["permissions"] = frozenset()
        return cleaned

    def _require_sight(self, permissions: frozenset[Permission]) -> None:
        """What is done on pages that they would not see helps nobody; what the editor cannot give is not asked for."""
        offered = {value for value, _ in self.fields["permissions"].choices}  # type: ignore[attr-defined]  # a ChoiceField, as above
        for permission, sight in _SEEN_WITH.items():
            if permission in permissions and sight not in permissions and sight in offered:
                done, seen = PERMISSION_WORDS[permission], PERMISSION_WORDS[sight]
                self.add_error("permissions", f"“{done}” is done on pages that they would not see: tick “{seen}” too.")


class InvitationForm(RightsForm):
    """A new member of staff."""

    first_name = NameField(label="First name", autocomplete="off", whose="their")
    last_name = NameField(label="Last name", autocomplete="off", whose="their")
    email = EmailField(autocomplete="off", missing="Please give their e-mail address.")

    field_order = ("first_name", "last_name", "email", "role", "permissions")


class CustomersForm(SpanForm):
    """Which customers to show: a list's address, so nothing is required and nonsense is passed over."""

    tab = forms.ChoiceField(required=False, choices=[(tab, tab) for tab in Tab])
    cursor = forms.CharField(required=False, max_length=1000)

    @property
    def words(self) -> str:
        """What is looked for; an address has no more characters."""
        return str(self.data.get("q", "")).strip()[:_LONGEST_EMAIL]

    def asked(self) -> CustomersAsked | None:
        """What the list is asked; None when somebody is looked for, and not all addresses of a domain."""
        try:
            domain = normalised_domain(self.words) if self.words else ""
        except BadEmail:
            return None
        tab = Tab(self.value("tab") or Tab.ALL)
        return CustomersAsked(tab, self.begins, self.ends, domain, self.value("cursor") or "")


class PersonNoteForm(forms.Form):
    """A note about somebody."""

    text = forms.CharField(
        label="Note",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write something first."},
    )


class ConfirmForm(forms.Form):
    """What cannot be taken back is asked for with the address of whom it is about, typed once more."""

    typed = forms.CharField(label="Their e-mail address", max_length=254, required=False)

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_typed(self) -> str:
        typed = str(self.cleaned_data["typed"])
        try:
            is_same = normalised_email(typed) == normalised_email(self.email)
        except BadEmail:
            is_same = False
        if not is_same:
            raise forms.ValidationError(f"That is not {self.email}. Nothing was done.")
        return typed
