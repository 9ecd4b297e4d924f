"""Somebody at the local cloud's own sign-in page of a user pool."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPRedirectHandler, build_opener, urlopen


class _Stay(HTTPRedirectHandler):
    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        return fp


def pass_sign_in_page(address: str, *, email: str, password: str) -> str:
    """Open the page, fill it in, send it; the address it leads on to, empty when it does not."""
    with urlopen(address) as page:
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.read().decode()))
    told = {name: unescape(value) for name, value in form.items()} | {"username": email, "password": password}
    with build_opener(_Stay).open(urljoin(address, "/login"), data=urlencode(told).encode()) as answer:
        return str(answer.headers["Location"] or "")
