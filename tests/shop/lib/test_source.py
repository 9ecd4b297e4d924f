"""Where a request comes from: by the gateway's word."""

from typing import Any

import pytest
from django.test import RequestFactory

from shop.lib.source import coarse_source_of, source_of

V2 = {"http": {"sourceIp": "203.0.113.9"}}
V1 = {"identity": {"sourceIp": "203.0.113.9"}}


@pytest.mark.parametrize(
    ("context", "remote", "source", "coarse"),
    [
        (V2, "6.6.6.6", "203.0.113.9", "203.0.113.x"),
        (V1, "6.6.6.6", "203.0.113.9", "203.0.113.x"),  # apig-wsgi takes REMOTE_ADDR from a header here
        ({}, "6.6.6.6", "", ""),
        (None, "203.0.113.9", "203.0.113.9", "203.0.113.x"),
        (None, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::x"),
        (None, "::ffff:203.0.113.9", "203.0.113.9", "203.0.113.x"),
        (None, "no address", "", ""),
        (None, "", "", ""),
    ],
)
def test_the_gateway_tells_the_source_and_headers_do_not(context: Any, remote: str, source: str, coarse: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR="6.6.6.6, 7.7.7.7", HTTP_FORWARDED="for=6.6.6.6")
    if context is not None:
        request.META["apig_wsgi.request_context"] = context

    assert (source_of(request), coarse_source_of(request)) == (source, coarse)
