"""Addresses whose code is imported when somebody comes: a cold start draws one page and need not load the views of two hundred.

Django imports every view to know one address, and every included module to write one. Here a module of addresses is imported
when a request or a link leads below its prefix, and a module of views when one of its views is asked. Nothing else differs:
routes, names and `reverse` are Django's, and `manage.py check`, which `runserver` begins with, imports all of them.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from django.core.checks import CheckMessage
from django.http import HttpRequest, HttpResponse
from django.urls import URLResolver, reverse
from django.urls.resolvers import RoutePattern
from django.utils.datastructures import MultiValueDict


class View:
    """A view by its name: imported, with all its module needs, by the first request for it."""

    def __init__(self, module: str, name: str) -> None:
        # Django tells views apart by these.
        self.__module__ = module
        self.__name__ = self.__qualname__ = name

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.load()(request, *args, **kwargs)

    def load(self) -> Callable[..., HttpResponse]:
        """The function itself. Raises ImportError and, when its module has none of this name, AttributeError."""
        view: Callable[..., HttpResponse] = getattr(import_module(self.__module__), self.__name__)
        return view

    @property
    def __wrapped__(self) -> Callable[..., HttpResponse]:
        """For `inspect.unwrap`."""
        return self.load()

    @property
    def csrf_exempt(self) -> bool:
        """What Django's decorator notes on a view, which middleware looks for just before the view is called."""
        return getattr(self.load(), "csrf_exempt", False)


class views_of:  # noqa: N801 - it stands where an import would
    """`views = views_of("cart.views")` is what `from cart import views` would be, but for the importing."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> View:
        return View(self._module, name)


class below(URLResolver):  # noqa: N801 - it stands beside Django's `path`
    """`path(prefix, include(module))` under a namespace, but for the importing."""

    def __init__(self, prefix: str, module: str, *, namespace: str) -> None:
        super().__init__(RoutePattern(prefix), module, app_name=namespace, namespace=namespace)

    def _populate(self) -> None:
        """Nothing yet: whoever includes asks for the names outside any namespace, of which there are none here."""

    @property
    def reverse_dict(self) -> MultiValueDict[str, Any]:
        """The routes by name, once a link asks for one of them."""
        if not self._reverse_dict:
            super()._populate()
        return super().reverse_dict

    def check(self) -> list[CheckMessage]:
        """Django's checks. Raises ImportError or AttributeError for a view that is not there."""
        for pattern in self.url_patterns:
            if isinstance(pattern.callback, View):
                pattern.callback.load()
        return super().check()


def with_query(path: str, asked: Mapping[str, str]) -> str:
    """The address with what is asked; what is empty is left out."""
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{path}?{query}" if query else path


_STAND_IN = "-ID-"


def address_of(name: str, thing_id: str) -> str:
    """`reverse` of an address with one id in it, for lists of many: Django's work is done once a name, not once a row."""
    before, after = _around_id(name)
    return f"{before}{thing_id}{after}"


@cache
def _around_id(name: str) -> tuple[str, str]:
    before, _, after = reverse(name, args=[_STAND_IN]).partition(_STAND_IN)
    return before, after
