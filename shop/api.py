"""The interface for other systems under `/api/v1/`: all that may be done, and its description."""

import json
from functools import cache
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.api import TOKEN_PATH, TOKEN_SCHEMAS
from catalog import api_views as catalog
from orders import api_views as orders
from shop.lib.api import JSON, Operation, problem

OPERATIONS: tuple[Operation, ...] = (*catalog.OPERATIONS, *orders.OPERATIONS)
_SCHEMAS = {**catalog.SCHEMAS, **orders.SCHEMAS, **TOKEN_SCHEMAS}


def openapi(request: HttpRequest) -> HttpResponse:
    """The description, for everybody."""
    response = HttpResponse(_document(), content_type=JSON)
    response["Cache-Control"] = "public, max-age=300"
    return response


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    return problem(
        HTTPStatus.NOT_FOUND, "Not found", "There is nothing at this address; /api/v1/openapi.json lists what there is."
    )


@cache
def _document() -> bytes:
    from shop.lib.openapi import document

    made = document(
        title=settings.SHOP_NAME,
        origin=settings.SITE_ORIGIN,
        operations=OPERATIONS,
        schemas=_SCHEMAS,
        extra={"/token": TOKEN_PATH},
    )
    return json.dumps(made, ensure_ascii=False).encode()
