"""The pruned data of botocore serves every call the shop makes of its tables."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.config import Config
from django.conf import settings

from shop.lib import aws

SCRIPT = Path(settings.BASE_DIR) / "infra" / "prune_botocore.py"


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prune_botocore", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_client_made_of_the_pruned_data_is_the_same_client(
    script: ModuleType, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    script.prune(tmp_path / "data")
    clients = []
    for folder in ("", str(tmp_path / "data")):
        settings.BOTOCORE_DATA = folder
        session = aws.session.__wrapped__()
        clients.append(
            session.create_client(
                "dynamodb", region_name="eu-central-1", endpoint_url=None, config=Config(signature_version="v4")
            )
        )
    whole, pruned = clients

    assert set(pruned.meta.service_model.operation_names) == script.OPERATIONS
    assert pruned.meta.endpoint_url == whole.meta.endpoint_url == "https://dynamodb.eu-central-1.amazonaws.com"
    for name in script.OPERATIONS:
        for part in ("input_shape", "output_shape"):
            shapes = [getattr(client.meta.service_model.operation_model(name), part) for client in (whole, pruned)]
            assert list(shapes[0].members) == list(shapes[1].members)
    size = sum(file.stat().st_size for file in (tmp_path / "data").rglob("*.json"))
    assert size < 150_000
