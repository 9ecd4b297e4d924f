"""One request, as a browser behind the CDN sends it."""

from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

SITE_ORIGIN = "https://bench.example"


class WrongAnswer(Exception):
    """Something did not answer as it should, so there is nothing to measure."""


@dataclass(frozen=True)
class Ask:
    """What to ask for. With `fields` it is a form that is posted."""

    path: str
    cookie: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    is_htmx: bool = False
    known_tag: str = ""
    """The ETag of what the browser has already."""

    @property
    def method(self) -> str:
        return "POST" if self.fields else "GET"

    @property
    def body(self) -> str:
        return urlencode(self.fields)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that decide what the shop answers."""
        headers = {
            "Host": urlsplit(SITE_ORIGIN).netloc,
            "X-Forwarded-Proto": "https",
            "Accept": "text/html",
            "Accept-Encoding": "gzip",
            "Sec-Fetch-Site": "same-origin",
        }
        if self.cookie:
            headers["Cookie"] = self.cookie
        if self.known_tag:
            headers["If-None-Match"] = self.known_tag
        if self.is_htmx:
            headers["HX-Request"] = "true"
        if self.fields:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": SITE_ORIGIN}
        return headers
