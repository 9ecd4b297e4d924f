import logging
from collections.abc import Iterator
from io import StringIO

import pytest


@pytest.fixture
def shown() -> Iterator[StringIO]:
    """What the local web server's log shows."""
    (handler,) = (one for one in logging.getLogger("django.server").handlers if one.get_name() == "server")
    assert isinstance(handler, logging.StreamHandler)
    output = StringIO()
    before = handler.setStream(output)
    yield output
    assert before is not None
    handler.setStream(before)


@pytest.mark.parametrize(
    ("request_line", "status", "is_shown"),
    [
        ("GET /static/css/base.css HTTP/1.1", 200, False),
        ("GET /static/css/base.css HTTP/1.1", 304, False),
        ("GET /_local/media/products/a-400.webp HTTP/1.1", 200, False),
        ("GET /static/css/gone.css HTTP/1.1", 404, True),
        ("GET /_local/media/products/a-400.webp HTTP/1.1", 500, True),
        ("GET /products/?q=/static/ HTTP/1.1", 200, True),
        ("GET / HTTP/1.1", 200, True),
    ],
)
def test_files_that_were_sent_are_no_lines_and_all_else_is(
    shown: StringIO, request_line: str, status: int, is_shown: bool
) -> None:
    extra = {"status_code": status, "server_time": "now"}

    logging.getLogger("django.server").info('"%s" %s %s', request_line, str(status), "12", extra=extra)

    assert shown.getvalue() == (f'[now] "{request_line}" {status} 12\n' if is_shown else "")


def test_what_the_server_says_besides_requests_is_shown(shown: StringIO) -> None:
    logging.getLogger("django.server").info("- Broken pipe from %s", ("127.0.0.1", 5), extra={"server_time": "now"})

    assert shown.getvalue() == "[now] - Broken pipe from ('127.0.0.1', 5)\n"
