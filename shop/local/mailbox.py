"""The mails that the local cloud has accepted. They came the way every mail of the shop goes: Django's backend, SES."""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail as SES took it."""

    mail_id: str
    sent_at: datetime
    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    subject: str
    text: str
    html: str

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What a reader wants to see above the mail."""
        addresses = (("To", self.to), ("Cc", self.cc), ("Bcc", self.bcc))
        return (
            ("From", self.sender),
            *((name, ", ".join(people)) for name, people in addresses if people),
            ("Subject", self.subject),
            ("Date", f"{self.sent_at:%Y-%m-%d %H:%M:%S} UTC"),
        )


def mails() -> list[Mail]:
    """Every mail, newest first. Raises OSError when the local cloud does not answer."""
    with urllib.request.urlopen(f"{settings.AWS_ENDPOINT_URL}/_ministack/ses/messages", timeout=5) as answer:
        content: dict[str, Any] = json.load(answer)
    return sorted(_read(content["messages"]), key=lambda mail: mail.sent_at, reverse=True)


def mail_with(mail_id: str) -> Mail | None:
    """The mail of this id, if there is one. Raises OSError when the local cloud does not answer."""
    return next((mail for mail in mails() if mail.mail_id == mail_id), None)


def _read(accounts: Mapping[str, list[dict[str, Any]]]) -> Iterator[Mail]:
    for messages in accounts.values():
        for message in messages:
            yield Mail(
                # SES's ids end in a domain that says nothing.
                mail_id=message["MessageId"].partition("@")[0],
                sent_at=datetime.fromtimestamp(message["Timestamp"], UTC),
                sender=message["Source"] or settings.DEFAULT_FROM_EMAIL,
                to=tuple(message["To"]),
                cc=tuple(message["CC"]),
                bcc=tuple(message["BCC"]),
                subject=message["Subject"],
                text=message["BodyText"] or "",
                html=message["BodyHtml"] or "",
            )
