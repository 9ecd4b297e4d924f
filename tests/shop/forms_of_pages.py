"""The forms of a page, as a browser would send them when nobody changes anything."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client

_UNSENT = {"submit", "button", "file", "reset", "image"}


class _Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self._page = page
        self.found: dict[str, dict[str, str]] = {}
        self._fields: dict[str, str] | None = None
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = dict(attrs)
        if tag == "form":
            # Of several forms to one address the first is sent.
            self._fields = {} if given.get("method") == "post" else None
            if self._fields is not None:
                self._fields = self.found.setdefault(given.get("action") or self._page, self._fields)
        if self._fields is None or given.get("disabled", "") is None:
            return
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and name and given.get("type") not in _UNSENT:
            if given.get("type") not in ("radio", "checkbox") or "checked" in given:
                self._fields.setdefault(name, value)
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in self._fields):
            self._fields[self._select] = value
        elif tag == "textarea":
            self._textarea = name
            self._fields.setdefault(name, "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea and self._fields is not None:
            self._fields[self._textarea] += data


def forms_of(client: Client, path: str) -> dict[str, dict[str, str]]:
    """By address the fields of the forms on the page; none where there is no page."""
    reader = _Forms(path)
    answer = client.get(path)
    if answer.status_code == 200:
        reader.feed(answer.text)
    return reader.found
