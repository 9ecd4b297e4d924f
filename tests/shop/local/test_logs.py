import logging
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.template import Context, Engine, TemplateSyntaxError
from django.test import RequestFactory
from django.utils.log import log_response


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


@pytest.fixture
def errors() -> Iterator[StringIO]:
    """What the log of everything but requests shows."""
    (handler,) = (one for one in logging.getLogger().handlers if one.get_name() == "stderr")
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


@pytest.mark.parametrize(
    ("status", "path", "is_warned_of"),
    [
        (422, "/checkout/address/", False),
        (409, "/accounts/addresses/addr-1/", False),
        (410, "/accounts/verify/used/", False),
        (404, "/nowhere/", True),
        (403, "/cart/add/", True),
        (422, "/api/v1/orders/", True),
        (409, "/webhooks/stripe/", True),
        (500, "/checkout/address/", True),
    ],
)
def test_what_people_are_told_on_the_page_is_no_warning(
    errors: StringIO, rf: RequestFactory, status: int, path: str, is_warned_of: bool
) -> None:
    log_response("%s: %s", "Words", path, response=HttpResponse(status=status), request=rf.post(path))

    level = "ERROR" if status == 500 else "WARNING"
    assert errors.getvalue() == (f"{level} django.request Words: {path}\n" if is_warned_of else "")


def test_a_page_that_is_not_open_to_somebody_is_one_line_with_its_reason(errors: StringIO, rf: RequestFactory) -> None:
    request, response = rf.get("/staff/"), HttpResponse(status=403)
    for refusal in (PermissionDenied("/staff/ needs orders.view"), KeyError("page")):
        log_response("Forbidden: %s", request.path, response=response, request=request, exception=refusal)
        del response._has_been_logged  # type: ignore[attr-defined]  # Django logs an answer once

    refused, mistake = errors.getvalue().split("\n", 1)
    assert refused == "WARNING django.request Forbidden: /staff/ (/staff/ needs orders.view)"
    assert mistake == "WARNING django.request Forbidden: /staff/\nKeyError: 'page'\n"


def test_what_the_server_says_besides_requests_is_shown(shown: StringIO) -> None:
    logging.getLogger("django.server").info("- Broken pipe from %s", ("127.0.0.1", 5), extra={"server_time": "now"})

    assert shown.getvalue() == "[now] - Broken pipe from ('127.0.0.1', 5)\n"


def test_a_mistake_in_a_template_is_logged_with_its_file_and_line(errors: StringIO, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<h1>Hello</h1>\n{% include 'part.html' %}\n")
    (tmp_path / "part.html").write_text("\n\n{% nonsense %}\n")

    with pytest.raises(TemplateSyntaxError) as caught:
        Engine(dirs=[str(tmp_path)]).get_template("page.html").render(Context())
    logging.getLogger("django.request").error("Internal Server Error: /", exc_info=caught.value)

    assert errors.getvalue().endswith(f"\nIn the template {tmp_path}/part.html, line 3.\n")


def test_what_fails_while_a_template_is_drawn_is_logged_with_its_line(errors: StringIO, tmp_path: Path) -> None:
    def fail() -> None:
        raise KeyError("price")

    (tmp_path / "page.html").write_text("{% if yes %}\n{{ fail }}\n{% endif %}")

    with pytest.raises(KeyError) as caught:
        Engine(dirs=[str(tmp_path)]).get_template("page.html").render(Context({"yes": True, "fail": fail}))
    for _ in range(2):
        logging.getLogger("django.request").error("Internal Server Error: /", exc_info=caught.value)

    told = f"KeyError: 'price'\nIn the template {tmp_path}/page.html, line 2.\n"
    assert errors.getvalue().count(told) == 2


def test_a_failure_outside_templates_names_none(errors: StringIO) -> None:
    logging.getLogger("django.request").error("Internal Server Error: /", exc_info=KeyError("price"))

    assert errors.getvalue() == "ERROR django.request Internal Server Error: /\nKeyError: 'price'\n"
