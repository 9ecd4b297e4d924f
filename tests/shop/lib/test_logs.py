"""What does not get into a log."""

import io
import logging

import pytest
from django.conf import settings

from shop.entrypoints import observing
from shop.lib.logs import WithoutSecrets

SECRET = "kZ3v9Qm_xR1-tY7wLcB2nD5sFgH8jK0aPqUeIoVrXyM"


@pytest.mark.parametrize("page", ["verify", "password-reset", "email/old", "email/new"])
def test_the_secret_of_a_mailed_link_is_not_logged(page: str) -> None:
    path = f"/accounts/{page}/{SECRET}/"
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "%s: %s", ("Gone", path), None)

    assert WithoutSecrets().filter(record)
    assert record.getMessage() == f"Gone: /accounts/{page}/…/"


def test_other_lines_stay_as_they_are() -> None:
    record = logging.LogRecord("shop", logging.INFO, "", 0, "%s of %d", ("/accounts/password-reset/sent/", 7), None)

    assert WithoutSecrets().filter(record)
    assert record.getMessage() == "/accounts/password-reset/sent/ of 7"


def test_every_log_goes_through_it() -> None:
    assert settings.LOGGING["root"]["handlers"] == ["stderr"]
    assert "without_secrets" in settings.LOGGING["handlers"]["stderr"]["filters"]


def test_where_lambda_runs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    root, of_requests = logging.getLogger(), logging.getLogger("django.request")
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(of_requests, "level", of_requests.level)
    observing._Process()
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    handler.setStream(written)

    logging.getLogger("shop.middleware").warning("cross-site post to %s refused", f"/accounts/password-reset/{SECRET}/")

    assert "cross-site post to /accounts/password-reset/…/ refused" in written.getvalue()
    assert SECRET not in written.getvalue()
