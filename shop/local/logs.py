"""What the laptop's web server does not say."""

import logging
from collections.abc import Sequence

_FIRST_ERROR = 400


class WithoutFiles(logging.Filter):
    """Drops the lines of runserver for static files and photographs that were sent; one page asks for dozens. Errors stay."""

    def __init__(self, *, addresses: Sequence[str]) -> None:
        super().__init__()
        self._addresses = tuple(addresses)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is shown. Its first argument is the request line: `GET /static/css/shop.css HTTP/1.1`."""
        status = getattr(record, "status_code", _FIRST_ERROR)
        if status >= _FIRST_ERROR or not isinstance(record.args, tuple) or not record.args:
            return True
        _method, _space, address = str(record.args[0]).partition(" ")
        return not address.startswith(self._addresses)
