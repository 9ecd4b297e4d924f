"""What the laptop's web server does not say, and what it says besides."""

import logging
from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.template.base import Node, Template

_FIRST_ERROR = 400
_TOLD_ON_THE_PAGE = frozenset({409, 410, 422})
_FOR_PROGRAMS = ("/api/", "/webhooks/")


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


class WithoutMistakes(logging.Filter):
    """Drops the warnings for what shoppers and staff do wrong and are told on the page: a form to be put right, a link that
    was used up, something another tab was quicker with. The line of the request says the status; what programs do wrong stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the warning is shown. Django puts status and request on it."""
        if getattr(record, "status_code", None) not in _TOLD_ON_THE_PAGE:
            return True
        path: str = getattr(getattr(record, "request", None), "path", "")
        return path.startswith(_FOR_PROGRAMS)


class WithoutRefusals(logging.Filter):
    """Takes the traceback off the warning for a page that is not open to who asked: it is no mistake of the program."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True always; the line ends with the reason."""
        refusal = record.exc_info[1] if record.exc_info else None
        if isinstance(refusal, PermissionDenied):
            record.msg, record.args, record.exc_info = f"{record.getMessage()} ({refusal})", (), None
        return True


class WithTemplates(logging.Filter):
    """Adds to a traceback which line of which template it is about: Django names no file outside its debug pages."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True always; the note stands below the exception."""
        mistake = record.exc_info[1] if record.exc_info else None
        if mistake and not getattr(mistake, "__notes__", None) and (place := _template_of(mistake)):
            mistake.add_note(f"In the template {place}.")
        return True


def _template_of(mistake: BaseException) -> str:
    """The innermost template that was being read or drawn, and its line; empty when there was none."""
    place, traceback = "", mistake.__traceback__
    while traceback:
        code, owner = traceback.tb_frame.f_code.co_name, traceback.tb_frame.f_locals.get("self")
        token = None
        if code == "compile_nodelist" and isinstance(owner, Template):
            # Django puts it on mistakes of the parser.
            place, token = str(owner.origin), getattr(mistake, "token", None)
        elif code == "render_annotated" and isinstance(owner, Node) and owner.token:
            place, token = str(owner.origin), owner.token
        if token:
            place += f", line {token.lineno}"
        traceback = traceback.tb_next
    return place
