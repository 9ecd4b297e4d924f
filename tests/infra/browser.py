"""A visitor who comes through the emulated API Gateway, as CloudFront would send them on."""

import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True)
class Page:
    """An answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def location(self) -> str:
        return self.headers.get("location", "")


@dataclass
class Browser:
    """Keeps cookies; posts forms as a browser does. `base` is the gateway, `host` its own name, `site` the public address."""

    base: str
    host: str
    site: str
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Page:
        return self._ask("GET", path)

    def post(self, path: str, fields: dict[str, str]) -> Page:
        return self._ask("POST", path, urlencode(fields).encode())

    def place(self, product_id: str, quantity: int, *, email: str, name: str, street: str) -> Page:
        """Fill a cart and all steps, and press the button."""
        self.post("/cart/add/", {"product_id": product_id, "quantity": str(quantity)})
        self.post("/checkout/contact/", {"email": email, "phone": ""})
        address = {"country": "US", "name": name, "street": street, "street2": "", "city": "New York", "state": "NY"}
        self.post("/checkout/address/", address | {"zip_code": "10001"})
        self.post("/checkout/delivery/", {"delivery": "standard"})
        review = self.get("/checkout/review/").text
        form = review[review.index('action="/checkout/place/"') :]
        found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[: form.index("</form>")])
        return self.post("/checkout/place/", {name: unescape(value) for name, value in found})

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Page:
        headers = {"Host": self.host, "X-Forwarded-Proto": "https", "User-Agent": "canary-agent/1.0", **self.headers}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers |= {"Origin": self.site, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
        request = urllib.request.Request(self.base + path, data=body, headers=headers, method=method)
        opener = urllib.request.build_opener(_Stay)
        try:
            answer = opener.open(request, timeout=40)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            for cookie in answer.headers.get_all("Set-Cookie", []):
                name, _, value = cookie.partition(";")[0].strip().partition("=")
                self.cookies[name] = value
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Page(answer.status, headers, answer.read().decode(errors="replace"))


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are looked at, not followed."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


def path_of(url: str) -> str:
    """What of an address the gateway is asked for."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
