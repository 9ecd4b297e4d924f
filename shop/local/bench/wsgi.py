"""The shop for a WSGI server, with an address that tells what the process has used."""

from collections import Counter
from typing import Any

from shop.entrypoints.web import application as shop
from shop.lib.tables import connection
from shop.local.bench.usage import with_usage

_calls: Counter[str] = Counter()


def _note(model: Any, **kwargs: Any) -> None:
    _calls[model.name] += 1


connection().client.meta.events.register("before-call.dynamodb", _note)
application = with_usage(shop, table_calls=_calls.total)
