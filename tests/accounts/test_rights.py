"""Who may give whom which rights."""

from datetime import datetime
from typing import Any

import pytest

from accounts import queries, staffing
from accounts.domain import Role, UserStatus
from accounts.models import UserRow, user_key
from accounts.staffing import NotAllowed
from shop.lib.viewer import Permission, Viewer
from tests.accounts.people import make_user
from tests.conftest import items_of

ALL = frozenset(Permission)


BOSS = Viewer(user_id="user-0", role="admin", permissions=ALL)


LEAD = Viewer(
    user_id="user-1",
    role="staff",
    permissions=frozenset({Permission.STAFF_MANAGE, Permission.ORDERS_VIEW, Permission.ORDERS_SHIP}),
)


PACKER = Viewer(user_id="user-2", role="staff", permissions=frozenset({Permission.ORDERS_VIEW}))


@pytest.mark.parametrize(
    ("editor", "was", "role", "permissions", "is_allowed"),
    [
        (BOSS, {}, "admin", set(), True),
        (BOSS, {"role": Role.ADMIN}, "customer", set(), True),
        (BOSS, {}, "staff", {"orders.refund"}, True),
        (BOSS, {}, "staff", {"staff.manage"}, False),  # staff cannot be given that at all
        (BOSS, {}, "customer", {"orders.view"}, False),
        (LEAD, {}, "staff", {"orders.view"}, True),
        (LEAD, {}, "staff", {"orders.refund"}, False),  # they lack it
        (LEAD, {}, "admin", set(), False),
        (LEAD, {"role": Role.ADMIN}, "customer", set(), False),  # above them
        (LEAD, {"role": Role.STAFF, "granted": frozenset({"products.edit"})}, "customer", set(), False),
        (LEAD, {"role": Role.STAFF, "granted": frozenset({"orders.view"})}, "customer", set(), True),
        (PACKER, {}, "staff", {"orders.view"}, False),  # has it, but does not manage staff
    ],
)
def test_nobody_grants_what_they_lack_or_edits_somebody_above_them(
    tables: Any, now: datetime, editor: Viewer, was: dict[str, Any], role: str, permissions: set[str], is_allowed: bool
) -> None:
    user = make_user(now, **was)
    wanted = frozenset(Permission(name) for name in permissions)

    def change() -> None:
        staffing.change_rights(editor=editor, user_id=user.user_id, role=Role(role), permissions=wanted, now=now)

    if is_allowed:
        change()
        after = queries.user(user_id=user.user_id)
        assert (after.role, after.granted) == (Role(role), frozenset(permissions))
    else:
        with pytest.raises(NotAllowed):
            change()
        assert queries.user(user_id=user.user_id) == user


@pytest.mark.parametrize(
    ("editor", "role", "permissions"),
    [
        (BOSS, "staff", {"staff.manage"}),
        (BOSS, "customer", set()),
        (LEAD, "staff", {"orders.refund"}),
        (LEAD, "admin", set()),
        (Viewer(user_id="user-3", role="staff", permissions=ALL), "admin", set()),
        (PACKER, "staff", {"orders.view"}),
    ],
)
def test_nobody_invites_somebody_to_more_than_they_may_grant(
    tables: Any, now: datetime, editor: Viewer, role: str, permissions: set[str]
) -> None:
    wanted = frozenset(Permission(name) for name in permissions)

    with pytest.raises(NotAllowed):
        staffing.invite(
            editor=editor,
            email="grace@example.com",
            first_name="Grace",
            last_name="Hopper",
            role=Role(role),
            permissions=wanted,
            now=now,
        )

    assert items_of("Users") == []


def test_nobody_changes_their_own_rights(tables: Any, now: datetime) -> None:
    user = make_user(now, role=Role.ADMIN)
    itself = Viewer(user_id=user.user_id, role="admin", permissions=ALL)

    with pytest.raises(NotAllowed):
        staffing.change_rights(editor=itself, user_id=user.user_id, role=Role.CUSTOMER, permissions=frozenset(), now=now)
    with pytest.raises(NotAllowed):
        staffing.change_status(editor=itself, user_id=user.user_id, status=UserStatus.DISABLED, now=now)

    assert queries.user(user_id=user.user_id) == user


@pytest.mark.parametrize("written", [[], ["orders.view", "customers.view"]])
def test_who_was_written_by_another_system_can_be_shut_out(tables: Any, now: datetime, written: list[str]) -> None:
    user = make_user(now, role=Role.STAFF, granted=frozenset(written))
    user_key(user.user_id).update(actions=[UserRow.permissions.set(written)])
    admin = Viewer("user-boss", "Boss", "boss@example.com", Role.ADMIN, frozenset(Permission))

    staffing.change_status(editor=admin, user_id=user.user_id, status=UserStatus.DISABLED, now=now)

    assert not queries.user(user_id=user.user_id).is_active
