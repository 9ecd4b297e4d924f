"""The settings as on AWS, each start in a process of its own: what passes, what is refused, and what browsers are sent."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.accounts.people import PASSWORD, make_user
from tests.conftest import items_of

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "https://shop.example.com"
REQUIRED = {
    "SITE_ORIGIN": ORIGIN,
    "SECRET_KEY": "k7T!v2Qz" * 10 + "-of-tests",
    "JWT_KEYS": "2026a:lY1mYb0qkXcPj3n8u5vGZ2t7wRrJ0dEoKfHsAiQxT64",
    "STRIPE_SECRET_KEY": "sk_live_tests",
    "STRIPE_WEBHOOK_SECRET": "whsec_tests",
}
"""All that has no default."""


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with nothing in its environment but this, and what finds programs and their libraries."""
    found = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "SYSTEMROOT")}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**found, "AWS_REGION": "us-east-1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def check(**environment: str) -> subprocess.CompletedProcess[str]:
    return run("manage.py", "check", "--deploy", "--fail-level", "WARNING", **environment)


def refused(answer: subprocess.CompletedProcess[str]) -> str:
    """The sentence a start was refused with."""
    assert answer.returncode != 0
    kind, _, sentence = answer.stderr.strip().splitlines()[-1].partition(": ")
    assert kind == "shop.lib.env.BadSetting"
    return sentence


def test_djangos_own_check_of_a_deployment_finds_nothing_to_warn_of() -> None:
    answer = check(**REQUIRED)

    assert (answer.returncode, "no issues" in answer.stdout) == (0, True), answer.stderr


@pytest.mark.parametrize(
    "keys",
    [
        "only-a-key-and-no-name",
        ":lY1mYb0qkXcPj3n8u5vGZ2t7wRrJ0dEoKfHsAiQxT64",
        "short:lY1mYb0qkXcPj3n8u5vGZ2t7wRrJ0d",
        "dull:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE",
        "odd:not base64 at all, whatever one may say of it",
        "2026a:lY1mYb0qkXcPj3n8u5vGZ2t7wRrJ0dEoKfHsAiQxT64,2026a:mY1mYb0qkXcPj3n8u5vGZ2t7wRrJ0dEoKfHsAiQxT64",
    ],
)
def test_weak_or_misspelt_signing_keys_stop_the_start_and_are_not_repeated(keys: str) -> None:
    answer = run("-c", "import shop.settings", **{**REQUIRED, "JWT_KEYS": keys})

    assert "JWT_KEYS" in refused(answer)
    assert not any(key.partition(":")[2] and key.partition(":")[2] in answer.stderr for key in keys.split(","))


def test_a_key_of_the_command_starts_the_shop_beside_the_one_so_far() -> None:
    made = run("manage.py", "newjwtkey", SHOP_LOCAL="true").stdout.strip()

    assert check(**{**REQUIRED, "JWT_KEYS": f"{made},{REQUIRED['JWT_KEYS']}"}).returncode == 0


@pytest.mark.parametrize("value", [None, ""], ids=["unset", "empty"])
@pytest.mark.parametrize("name", REQUIRED)
def test_without_a_required_variable_nothing_starts(name: str, value: str | None) -> None:
    environment = {**REQUIRED, name: value or ""}
    if value is None:
        del environment[name]

    assert (
        refused(run("-c", "import shop.settings", **environment))
        == f"Set the environment variable {name}: it has no default outside SHOP_LOCAL=true."
    )


def test_the_command_line_names_the_missing_variable_and_says_no_more() -> None:
    answer = check(**{name: value for name, value in REQUIRED.items() if name != "STRIPE_WEBHOOK_SECRET"})

    assert answer.returncode == 1
    assert answer.stderr == "Set the environment variable STRIPE_WEBHOOK_SECRET: it has no default outside SHOP_LOCAL=true.\n"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SECRET_KEY": "k" * 49}, "SECRET_KEY has 49 characters; it needs 50 at least."),
        (
            {"SITE_ORIGIN": "http://shop.example.com"},
            "SITE_ORIGIN must begin with https:// (plain http is for SHOP_LOCAL=true alone).",
        ),
        (
            {"SITE_ORIGIN": "shop.example.com"},
            "SITE_ORIGIN must begin with https:// (plain http is for SHOP_LOCAL=true alone).",
        ),
        (
            {"SHOP_LOCAL": "true"},
            "SHOP_LOCAL=true has published keys and is for http://127.0.0.1 alone; SITE_ORIGIN is https.",
        ),
        ({"SHOP_LOCAL": "yes"}, "SHOP_LOCAL is 'yes'; it may be true or false."),
        (
            {"SHOP_DEBUG": "true"},
            "SHOP_DEBUG=true shows code and settings to whoever meets an error; it is for SHOP_LOCAL=true alone.",
        ),
        ({"SHOP_DEBUG": "1"}, "SHOP_DEBUG is '1'; it may be true or false."),
        ({"TAX_RATE": "8%"}, "TAX_RATE is '8%'; it may be a decimal number such as 0.08."),
        ({"TAX_RATE": "8"}, "TAX_RATE is '8'; it may be at most 1."),
        ({"TAX_RULES": "{"}, "TAX_RULES is no JSON text: Expecting property name enclosed in double quotes (line 1, column 2)."),
        ({"TAX_RULES": '[{"rate": 8}]'}, 'TAX_RULES: rule 1 has the rate 8; it may be a number from 0 to 1, such as "0.08".'),
        ({"OPENSEARCH_URL": "http://search.example.com"}, "OPENSEARCH_URL must begin with https://."),
        ({"DELIVERY_METHODS": "[]"}, "DELIVERY_METHODS: it must be a list of at least one method."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_an_unsafe_or_unreadable_setting_is_refused_with_a_sentence(change: dict[str, str], sentence: str) -> None:
    assert refused(run("-c", "import shop.settings", **REQUIRED | change)) == sentence


def test_nothing_of_the_laptop_is_on_where_it_was_not_asked_for() -> None:
    script = """
import json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
import django
django.setup()
from django.conf import settings
from shop.urls import urlpatterns
print(json.dumps([settings.DEBUG, settings.LOCAL, settings.AWS_ENDPOINT_URL, settings.ALLOWED_HOSTS, settings.SITE_ORIGIN,
                  settings.STRIPE_API_ORIGIN, [str(entry.pattern) for entry in urlpatterns if "_local" in str(entry.pattern)]]))
"""
    answer = run("-c", script, **REQUIRED)

    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == [False, False, "", ["shop.example.com"], ORIGIN, "https://api.stripe.com", []]


_BROWSER = """
import json, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
import django
django.setup()
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.test import Client
from shop.middleware import CrossSitePosts

def token(request):
    get_token(request)
    return HttpResponse()

client = Client(enforce_csrf_checks=True, headers={"host": "shop.example.com", "origin": "https://shop.example.com"})
fields = {"product_id": sys.argv[1], "quantity": "1"}
over_http = client.post("/cart/add/", fields)
added = client.post("/cart/add/", fields, secure=True)
who = {"email": "ada@example.com", "password": sys.argv[2], "stay": "on"}
signed_in = client.post("/accounts/login/", who, secure=True)
behind_the_gateway = client.get("/healthz", headers={"x-forwarded-proto": "https"})
asked = HttpRequest()
asked.META["SERVER_NAME"] = "shop.example.com"
tokened = CrossSitePosts(token)(asked)
print(json.dumps({
    "over http": [over_http.status_code, over_http["Location"], sorted(over_http.cookies)],
    "added": [added.status_code, added["Location"]],
    "gateway": behind_the_gateway.status_code,
    "hsts": added["Strict-Transport-Security"],
    "cookies": {name: dict(morsel) for name, morsel in {**added.cookies, **tokened.cookies, **signed_in.cookies}.items()},
}))
"""


def test_cookies_are_bound_to_the_https_host_and_kept_from_scripts(tables: Any) -> None:
    mug = factories.make_product()
    make_user(datetime.now(UTC).replace(microsecond=0))
    # The tests' own cloud stands in for AWS; all else is as it is there.
    cloud = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}

    answer = run("-c", _BROWSER, mug.product_id, PASSWORD, **REQUIRED, **cloud, TABLE_PREFIX="test-")

    assert answer.returncode == 0, answer.stderr
    seen = json.loads(answer.stdout)
    assert seen["over http"] == [301, f"{ORIGIN}/cart/add/", []]
    assert seen["added"] == [302, "/cart/"]
    assert seen["gateway"] == 200
    assert seen["hsts"] == "max-age=31536000; includeSubDomains; preload"
    assert len(items_of("Carts")) == 1
    cookies = seen["cookies"]
    own = {f"__Host-{name}" for name in ("guest", "csrftoken", "access", "refresh", "device")}
    assert set(cookies) == {*own, "messages"}
    for name, cookie in cookies.items():
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax"), name
        # What `__Host-` demands: https, the whole site, no other host.
        assert (cookie["path"], cookie["domain"]) == ("/", ""), name
    assert cookies["__Host-guest"]["max-age"] == 30 * 24 * 3600


@pytest.mark.parametrize(
    ("level", "told"), [("ERROR", ["ERROR django.request gone wrong", "ERROR orders gone wrong"]), ("CRITICAL", [])]
)
def test_the_level_of_the_log_holds_for_djangos_own_loggers_too(level: str, told: list[str]) -> None:
    code = "import django, logging; django.setup()\nfor name in ('django.request', 'orders'):\n    "
    code += "logging.getLogger(name).warning('slow'); logging.getLogger(name).error('gone wrong')"

    answer = run("-c", code, DJANGO_SETTINGS_MODULE="shop.settings", LOG_LEVEL=level, **REQUIRED)

    assert (answer.returncode, answer.stderr.splitlines()) == (0, told)
