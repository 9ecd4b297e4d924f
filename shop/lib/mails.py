"""Mails: a subject, a text and an HTML part from three templates, sent through Django's e-mail backend."""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string


def send(template: str, *, to: str, context: dict[str, Any]) -> None:
    """Send the mail of the templates `<template>_subject.txt`, `<template>.txt` and `<template>.html`.

    They see `context` and the shop's name and origin; never a request, whose Host header anybody may write.
    Raises what the mail backend raises.
    """
    seen = {"shop_name": settings.SHOP_NAME, "site_origin": settings.SITE_ORIGIN, **context}
    mail = EmailMultiAlternatives(
        # A line break in a subject would begin another header.
        subject=" ".join(render_to_string(f"{template}_subject.txt", seen).split()),
        body=render_to_string(f"{template}.txt", seen),
        to=[to],
    )
    mail.attach_alternative(render_to_string(f"{template}.html", seen), "text/html")
    mail.send()
