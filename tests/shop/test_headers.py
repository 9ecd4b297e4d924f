"""Every address of the shop x everybody: what browsers and caches are told. A new address without a class fails."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.domain import Role
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.accounts.people import log_in, make_user
from tests.orders.paid import paid_order

# The same bytes for everybody: caches keep them, and nothing personal may be in them or beside them.
SHARED = {
    *("catalog:home", "catalog:list", "catalog:category", "catalog:product", "catalog:reviews", "catalog:suggestions"),
    *("catalog:sitemap", "catalog:sitemap_shelves", "catalog:sitemap_products"),
    *(":terms", ":privacy", ":delivery_and_returns", ":contact"),
    *(":robots", ":favicon", "api:api_description"),
}
# One person's, for this browser to keep some minutes.
KEPT_BY_ONE = {"staff:chart"}
# One person's, or of no use a moment later: nobody keeps them. By the beginning of their address.
PERSONAL = ("/cart/", "/checkout/", "/orders/", "/accounts/", "/staff/", "/api/v1/", "/webhooks/", "/healthz")
PERSONAL_IN_THE_CATALOGUE = {"catalog:recent", "catalog:forget_recent", "catalog:tell_me"}

_PICTURES = "default-src 'none'; style-src 'unsafe-inline'"
"""The policy of a chart: an SVG that is only ever an image, whose styles cannot touch a page."""
_INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\b(?:src=|type=\"application/ld\+json\"))")


def addresses() -> Iterator[tuple[str, str]]:
    """The name of every address, and the address about the things the tables hold."""
    return _walk(get_resolver().url_patterns, "/", "")


def _walk(patterns: list[URLPattern | URLResolver], route: str, namespace: str) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if here.startswith("/_local/"):  # the laptop's, not in the image
            continue
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, here, pattern.namespace or namespace)
        else:
            yield f"{namespace}:{pattern.name or ''}", here


def class_of(name: str, route: str) -> str:
    """The one class of an address."""
    found = [
        kind
        for kind, is_one in {
            "shared": name in SHARED,
            "kept by one": name in KEPT_BY_ONE,
            "personal": name in PERSONAL_IN_THE_CATALOGUE
            or (route.startswith(PERSONAL) and name not in SHARED and name not in KEPT_BY_ONE),
        }.items()
        if is_one
    ]
    assert len(found) == 1, f"{name} ({route}) needs one class in {__name__}, and has {found or 'none'}"
    return found[0]


def test_every_address_has_a_class_and_every_line_is_an_address() -> None:
    found = dict(addresses())

    for name, route in found.items():
        class_of(name, route)
    assert (SHARED | KEPT_BY_ONE | PERSONAL_IN_THE_CATALOGUE) - set(found) == set()
    with pytest.raises(AssertionError, match="needs one class"):
        class_of("catalog:new", "/new/")


@pytest.fixture
def visitors(tables: Any, stripe: FakeStripe, now: datetime) -> tuple[dict[str, Client], dict[str, str]]:
    """A guest, a shopper with a paid order and an admin; and what stands in addresses for the things there are."""
    people = {"guest": Client(), "shopper": Client(), "admin": Client()}
    shopper, _admin = make_user(now), make_user(now, email="eve@example.com", role=Role.ADMIN)
    for who, email in {"shopper": "ada@example.com", "admin": "eve@example.com"}.items():
        assert log_in(people[who], email).status_code == 303
    category, mug = factories.make_category(), factories.make_product(name="Tide Mug", inventory=9)
    order = paid_order(stripe, Owner(id=shopper.user_id, is_guest=False), {mug.product_id: 1}, now)
    for client in people.values():
        client.raise_request_exception = False
        client.post("/cart/add/", {"product_id": mug.product_id, "quantity": "1"})
    known = {"product_id": mug.product_id, "slug": mug.slug, "order_id": order.order_id, "number": "1", "category": category.slug}
    return people, known


def example(name: str, route: str, known: dict[str, str]) -> str:
    """The address with these things in the places of its variables."""
    known = known | {"slug": known["category"]} if name == "catalog:category" else known
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: known.get(found[1], "none-1"), route)


def test_what_browsers_and_caches_are_told(visitors: tuple[dict[str, Client], dict[str, str]]) -> None:
    people, known = visitors
    statuses: dict[str, set[int]] = {who: set() for who in people}
    for name, route in addresses():
        path, kind = example(name, route, known), class_of(name, route)
        answers = {who: client.get(path) for who, client in people.items()}
        for who, answer in answers.items():
            statuses[who].add(answer.status_code)
            where = f"{path} for {who}: {answer.status_code}"
            assert answer.status_code < 500, where
            _is_guarded(answer, where, is_picture=kind == "kept by one" and answer.status_code == 200)
            _is_kept_as_its_class_says(answer, kind, where)
        if kind == "shared":
            assert len({(one.status_code, one.content) for one in answers.values()}) == 1, path
            assert {one.status_code for one in answers.values()} <= {200, 302, 404}, path

    # The crawl has seen pages, not refusals alone.
    assert 200 in statuses["guest"]
    assert {200, 303, 403, 404, 405} <= statuses["shopper"] | statuses["guest"]
    assert 200 in statuses["admin"]


def _is_guarded(answer: Any, where: str, *, is_picture: bool) -> None:
    headers = answer.headers
    policy = headers["Content-Security-Policy"]
    if is_picture:
        assert policy == _PICTURES, where
    else:
        assert "unsafe" not in policy, where
        for rule in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert rule in policy, where
    assert headers["X-Frame-Options"] == "DENY", where
    assert headers["X-Content-Type-Options"] == "nosniff", where
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin", where
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin", where
    assert "camera=()" in headers["Permissions-Policy"], where
    if headers.get("Content-Type", "").startswith("text/html"):
        found = _INLINE.search(answer.text)
        assert not found, f"{where}: {answer.text[found.start() : found.end() + 60]}"


def _is_kept_as_its_class_says(answer: Any, kind: str, where: str) -> None:
    told = {word.strip().split("=")[0] for word in answer.headers["Cache-Control"].split(",")}
    if kind == "shared" and answer.status_code in (200, 302):
        assert "public" in told, where
        assert not {"private", "no-store"} & told, where
        assert not answer.cookies, where
        assert "Cookie" not in answer.headers.get("Vary", ""), where
    elif kind == "kept by one" and answer.status_code == 200:
        assert told == {"private", "max-age"}, where
    else:
        assert told == {"private", "no-store"}, where


@pytest.mark.usefixtures("tables")
def test_pages_that_say_no_are_guarded_and_kept_by_nobody() -> None:
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    answers = {
        404: client.get("/no/such/page/"),
        400: client.get("/", headers={"Host": "evil.example"}),
        403: client.post("/cart/add/", headers={"Sec-Fetch-Site": "cross-site"}),
        405: client.post("/", headers={"Sec-Fetch-Site": "same-origin"}),
        301: client.get("/cart"),
    }

    for status, answer in answers.items():
        assert answer.status_code == status
        _is_guarded(answer, str(status), is_picture=False)
        _is_kept_as_its_class_says(answer, "personal", str(status))
