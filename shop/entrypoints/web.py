"""The web function: API Gateway (payload v2, v1 understood) to Django by apig-wsgi. `application` serves any WSGI server."""

import gc
import os
from typing import Any
from urllib.parse import quote

from apig_wsgi import make_lambda_handler
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

application = get_wsgi_application()
# What is loaded by now stays until the process ends; the collector need not look at it again at every request.
gc.freeze()
_handle = make_lambda_handler(application, binary_support=True)

# Everything a path may hold as it is, and the percent sign of what is quoted already. RFC 3986, section 3.3.
_PATH_CHARACTERS = "/%:@!$&'()*+,;=~"


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one request. API Gateway hands the path over decoded, which WSGI cannot carry beyond Latin-1: quote it again."""
    for name in ("rawPath", "path"):
        if isinstance(event.get(name), str):
            event = {**event, name: quote(event[name], safe=_PATH_CHARACTERS)}
    return _handle(event, context)
