"""What the Dockerfile takes into the image. `make image-test` builds it and looks inside."""

import re
import subprocess
import sys
from pathlib import Path

from infra.drop_services import SERVICES, UNUSED, drop
from tests.infra.functions import bare, image_folder
from tests.infra.reading import ROOT

PRODUCTION = ("accounts", "cart", "catalog", "orders", "shop/entrypoints", "shop/lib")


def test_the_image_holds_the_shop_and_nothing_of_the_laptop_or_the_tests(tmp_path: Path) -> None:
    image_folder(tmp_path)

    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        *("accounts", "cart", "catalog", "manage.py", "orders", "shop", "static", "staticfiles", "templates"),
    ]
    assert not (tmp_path / "shop" / "local").exists()
    assert (tmp_path / "staticfiles" / "staticfiles.json").exists()


def test_nothing_of_production_imports_the_laptop(tmp_path: Path) -> None:
    image_folder(tmp_path)
    script = """
import importlib, os, pathlib, sys
sys.path.insert(0, os.getcwd())
from importlib.util import find_spec
for name in ("shop.entrypoints.web", "shop.entrypoints.stream", "shop.entrypoints.jobs"):
    importlib.import_module(name)
assert find_spec("shop").origin == os.getcwd() + "/shop/__init__.py"
assert not [name for name in sys.modules if name.startswith(("shop.local", "tests", "pytest"))]
print("ok")
"""
    code = "import sys; sys.path.insert(0, sys.argv[1]); from collect_static import made_up_settings; import os; "
    code += "os.environ |= made_up_settings(); os.environ['AWS_REGION'] = 'us-east-1'; exec(sys.argv[2])"
    command = [sys.executable, "-c", code, str(ROOT / "infra"), script]
    answer = subprocess.run(command, cwd=tmp_path, env=bare(), capture_output=True, text=True, timeout=60, check=False)

    assert (answer.returncode, answer.stdout) == (0, "ok\n"), answer.stderr


def test_everything_in_the_image_comes_from_the_lock_with_hashes_and_is_never_compiled() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()

    assert "--require-hashes --only-binary :all:" in dockerfile
    assert "requirements/app.lock" in dockerfile
    assert re.search(r"^ARG BASE=public\.ecr\.aws/lambda/python:3\.13$", dockerfile, re.MULTILINE)
    assert "dev.lock" not in dockerfile
    assert not re.search(r"apt|dnf|yum|gcc", dockerfile)


def test_what_is_taken_out_of_the_image_is_imported_by_nobody(tmp_path: Path) -> None:
    (tmp_path / "botocore" / "data").mkdir(parents=True)
    for folder in UNUSED:
        (tmp_path / folder).mkdir(parents=True)
    drop(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["boto3", "botocore"]

    script = """
import sys
sys.modules["grpc"] = None
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth
from opensearchpy.helpers import bulk
print("ok")
"""
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert (answer.returncode, answer.stdout) == (0, "ok\n"), answer.stderr


def test_every_service_the_shop_speaks_to_is_still_described_in_the_image(tmp_path: Path) -> None:
    spoken = set()
    for folder in PRODUCTION:
        for file in (ROOT / folder).rglob("*.py"):
            spoken |= set(re.findall(r'(?:boto3\.client|create_client)\(\s*"(\w+)"', file.read_text()))
    # PynamoDB's, and the mail backend's.
    assert spoken | {"dynamodb", "sesv2"} <= SERVICES

    for name in ("s3", "ec2"):
        (tmp_path / "botocore" / "data" / name).mkdir(parents=True)
    (tmp_path / "botocore" / "data" / "endpoints.json").touch()
    drop(tmp_path)
    assert sorted(entry.name for entry in (tmp_path / "botocore" / "data").iterdir()) == ["endpoints.json", "s3"]
