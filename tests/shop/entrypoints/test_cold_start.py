"""What the web function has imported once it has drawn its first page: every cold start waits for that, and for no more."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from infra.collect_static import made_up_settings
from tests import factories
from tests.infra.functions import bare, image_folder
from tests.shop.entrypoints.test_web import event

DRAW = """
import json, sys
from shop.entrypoints.web import handler
answer = handler(json.loads(sys.argv[1]), None)
print(json.dumps([answer["statusCode"], answer["body"], sorted(sys.modules)]))
"""
MOST_MODULES = 860
"""A few more than there are. Each costs 0.3 to 1 ms of every cold start."""
# Libraries for a few pages, tables of other apps, pages for staff.
NEEDLESS = (
    *(
        "PIL",
        "anymail",
        "aws_lambda_powertools.tracing.base",
        "bcrypt",
        "boto3",
        "cryptography",
        "jwt",
        "moto",
        "opensearchpy",
        "pygal",
    ),
    *("pyotp", "redis", "reportlab", "requests", "schemathesis", "segno", "stripe", "ua_parser", "xml.sax"),
    *(
        "accounts.models",
        "accounts.sessions",
        "cart.models",
        "cart.services",
        "catalog.services",
        "orders.models",
        "orders.services",
    ),
    *("shop.api", "shop.local", "tests", "pytest"),
)


def test_the_first_list_page_imports_little_more_than_it_needs(index: Callable[[], None], tmp_path: Path) -> None:
    factories.make_category()
    mug = factories.make_product()
    index()
    environment = {
        **bare(),
        **made_up_settings(),
        **{name: value for name, value in os.environ.items() if name.startswith(("AWS_", "TABLE_"))},
        "AWS_LAMBDA_FUNCTION_NAME": "web",
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "EXTRA_HOSTS": "testserver",
        "SERVE_STATIC": "false",
    }
    asked = event("/categories/kitchen-table/")
    asked["headers"] |= {"x-forwarded-proto": "https", "accept-encoding": "identity"}

    command = [sys.executable, "-c", DRAW, json.dumps(asked)]
    done = subprocess.run(
        command, cwd=image_folder(tmp_path), env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    status, body, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 200
    assert mug.name in body
    assert "catalog.views" in modules
    assert [name for name in modules if name.startswith(NEEDLESS)] == []
    assert [name for name in modules if name.endswith(("staff_views", "staff_urls", "_forms"))] == []
    assert len(modules) <= MOST_MODULES
