from itertools import groupby
from operator import attrgetter

from django.urls import URLPattern, path, re_path

from accounts.api import token
from shop import api
from shop.lib.api import view_of


def _operations() -> list[URLPattern]:
    """An address for all operations that share it."""
    in_order = sorted(api.OPERATIONS, key=attrgetter("path"))
    return [
        path(address.lstrip("/").replace("{", "<id:").replace("}", ">"), view_of(list(same)), name=f"api{address}")
        for address, same in groupby(in_order, key=attrgetter("path"))
    ]


urlpatterns = [
    path("token", token, name="api_token"),
    path("openapi.json", api.openapi, name="api_description"),
    *_operations(),
    re_path("", api.unknown),
]
