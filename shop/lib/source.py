"""Where a request comes from, by the word of the gateway and nobody else."""

import ipaddress

from django.http import HttpRequest

_V6_SITE, _V6_COARSE = 64, 48


def source_of(request: HttpRequest) -> str:
    """The address to count tries by: an IPv4 address, or the /64 an IPv6 household has to itself; empty when unknown.

    API Gateway notes in the request's context who connected. `X-Forwarded-For` can be written by anybody and is not read;
    apig-wsgi puts its first entry into REMOTE_ADDR for payload version 1, so behind a gateway that is not read either.
    """
    address = _address(request)
    if address is None:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _V6_SITE), strict=False))
    return str(address)


def coarse_source_of(request: HttpRequest) -> str:
    """The neighbourhood of the address, for people to recognise a session by; too coarse to find a household."""
    address = _address(request)
    if address is None:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        return f"{ipaddress.ip_network((address, _V6_COARSE), strict=False).network_address}x"
    return f"{str(address).rpartition('.')[0]}.x"


def _address(request: HttpRequest) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    context = request.META.get("apig_wsgi.request_context")
    if context is None:
        text = request.META.get("REMOTE_ADDR", "")
    else:  # payload version 2, then version 1
        text = context.get("http", {}).get("sourceIp") or context.get("identity", {}).get("sourceIp") or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
