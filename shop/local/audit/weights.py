"""What a first visit to a page sends: the page, and the style sheets and scripts it names, compressed as the shop sends them."""

import re
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

_SHEET = re.compile(r'<link rel="stylesheet" href="([^"]+)"')
_SCRIPT = re.compile(r'<script src="([^"]+)"')


@dataclass(frozen=True)
class Weights:
    """Bytes of bodies on the wire."""

    html: int
    css: int
    js: int


def weigh(url: str, *, cookies: Mapping[str, str]) -> Weights:
    """Ask for everything as a browser does, with nothing kept. Raises OSError."""
    sent = _fetch(url, cookies, compressed=True)
    page = _fetch(url, cookies, compressed=False).decode()
    css, js = (
        sum(len(_fetch(urljoin(url, one), {}, compressed=True)) for one in set(named.findall(page)))
        for named in (_SHEET, _SCRIPT)
    )
    return Weights(html=len(sent), css=css, js=js)


def _fetch(url: str, cookies: Mapping[str, str], *, compressed: bool) -> bytes:
    headers = {
        "Accept": "text/html,*/*",
        "Accept-Encoding": "gzip, deflate, br" if compressed else "identity",
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
    }
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        return bytes(answer.read())
