"""`manage.py createstaff`: make the first admin, or give an account rights when nobody can sign in who could."""

import sys
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import passwords, queries, second_factor, services, staffing
from accounts.domain import PERMISSIONS, BadEmail, BadPassword, Role, User, UserStatus, normalised_email
from shop.lib.clock import utc_now
from shop.lib.ids import new_id
from shop.lib.viewer import Permission


class Command(BaseCommand):
    help = (
        "Make an account for staff (the password is asked for, or read from the standard input), or give these rights to one "
        "that exists. An admin has every permission without any being named."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--first-name", default="")
        parser.add_argument("--last-name", default="")
        parser.add_argument("--role", choices=[role.value for role in Role], default=Role.STAFF.value)
        names = ", ".join(sorted(PERMISSIONS[Role.STAFF]))
        parser.add_argument("--permissions", nargs="*", default=[], metavar="PERMISSION", help=f"some of: {names}")

        parser.add_argument("--forget-second-factor", action="store_true", help="for who lost authenticator and recovery codes")

    def handle(self, *_: Any, **options: Any) -> None:
        role = Role(options["role"])
        unknown = set(options["permissions"]) - {permission.value for permission in PERMISSIONS[role]}
        if unknown:
            raise CommandError(f"The role {role} cannot have: {', '.join(sorted(unknown))}.")
        permissions = frozenset(Permission(word) for word in options["permissions"])
        try:
            user = queries.user_by_email(email=options["email"])
        except queries.UserNotFound:
            self._make(role, permissions, options)
        else:
            if options["forget_second_factor"]:
                second_factor.turn_off(user=user)
                self.stdout.write(f"{user.email} signs in with the password alone; nothing else was changed.")
                return
            staffing.set_rights(user=user, role=role, permissions=permissions, now=utc_now())
            self.stdout.write(f"{user.email} is {role} now.")

    def _make(self, role: Role, permissions: frozenset[Permission], options: dict[str, Any]) -> None:
        email, first_name, last_name = options["email"], options["first_name"], options["last_name"]
        if not (first_name and last_name):
            raise CommandError("There is no such account. To make one, give --first-name and --last-name.")
        password = self._password()
        try:
            normalised_email(email)
            services.require_password(password, about=(email, first_name, last_name))
        except BadEmail:
            raise CommandError(f"{email} is no e-mail address.") from None
        except BadPassword as refusal:
            raise CommandError(str(refusal)) from None
        now = utc_now()
        user = User(
            user_id=new_id("user", now),
            email=email,
            first_name=first_name,
            last_name=last_name,
            role=role,
            status=UserStatus.ACTIVE,
            created_at=now,
            password_hash=passwords.hashed(password),
            credentials=1,
            granted=frozenset(permissions),
        )
        services.add_user(user=user, now=now)
        self.stdout.write(f"{email} can sign in now, as {role}.")

    def _password(self) -> str:
        if not sys.stdin.isatty():
            return str(sys.stdin.readline()).rstrip("\n")
        return getpass("Password: ")
