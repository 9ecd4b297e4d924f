"""The addresses of the shop as its own resolver has them."""

from collections.abc import Callable, Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter


def addresses(wanted: Callable[[str], bool]) -> dict[str, str]:
    """By name every address whose route is wanted, as the address of things that are not there."""
    found = _walk(get_resolver().url_patterns, route="", namespace="")
    return {name: reverse(name, kwargs=known) for name, known, route in found if wanted(route)}


def _walk(patterns: list[URLPattern | URLResolver], *, route: str, namespace: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route=here, namespace=pattern.namespace or namespace)
        elif namespace:
            converters: dict[str, Any] = pattern.pattern.converters
            known = {name: 1 if isinstance(one, IntConverter) else "none-1" for name, one in converters.items()}
            yield f"{namespace}:{pattern.name}", known, here
