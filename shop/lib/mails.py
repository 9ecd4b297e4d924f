"""Mails: a subject, a text and an HTML part from three templates, sent through Django's e-mail backend and noted in the log."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from shop.lib import mail_log


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it is written, before it is sent. `kind` is what the log calls it."""

    kind: str
    to: str
    subject: str
    text: str
    html: str

    def send(self) -> None:
        """Send it, and note that it went or why not. Raises what the mail backend raises."""
        message = EmailMultiAlternatives(subject=self.subject, body=self.text, to=[self.to])
        message.attach_alternative(self.html, "text/html")
        try:
            message.send()
        except Exception as trouble:
            mail_log.note(kind=self.kind, to=self.to, trouble=trouble)
            raise
        mail_log.note(kind=self.kind, to=self.to, trouble=None)


def written(template: str, *, to: str, context: dict[str, Any], kind: str = "") -> Mail:
    """The mail of the templates `<template>_subject.txt`, `<template>.txt` and `<template>.html`.

    They see `context` and the shop's name and origin; never a request, whose Host header anybody may write. Without a `kind` it
    is the template's name.
    """
    seen = {"shop_name": settings.SHOP_NAME, "site_origin": settings.SITE_ORIGIN, **context}
    return Mail(
        kind=kind or template.rpartition("/")[2],
        to=to,
        # A line break in a subject would begin another header.
        subject=" ".join(render_to_string(f"{template}_subject.txt", seen).split()),
        text=render_to_string(f"{template}.txt", seen),
        html=render_to_string(f"{template}.html", seen),
    )


def send(template: str, *, to: str, context: dict[str, Any], kind: str = "") -> None:
    """Write a mail and send it. Raises what the mail backend raises."""
    written(template, to=to, context=context, kind=kind).send()
