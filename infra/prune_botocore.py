"""Writes the part of botocore's data that the shop's tables need into a folder: `python infra/prune_botocore.py FOLDER`.

A build step of the image, whose functions are told of the folder by the setting BOTOCORE_DATA. botocore brings the descriptions
of four hundred services; making a client looks through all their folders and reads every region's endpoints: 40 ms of a cold
start. To be run again whenever botocore is upgraded, which a build does by itself.
"""

import gzip
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore

DATA = Path(botocore.__file__).parent / "data"
VERSION = "dynamodb/2012-08-10"
OPERATIONS = frozenset(
    {
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "DescribeEndpoints",
        "DescribeContinuousBackups",
        "DescribeTable",
        "DescribeTimeToLive",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    }
)
# What every client reads, whatever its service.
COMMON = ("partitions.json", "_retry.json", "sdk-default-configuration.json")


def prune(folder: Path) -> None:
    """Write the pruned data; what the folder held before is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / VERSION).mkdir(parents=True)
    for name in COMMON:
        _write(folder / name, _read(DATA / name))
    _write(folder / "endpoints.json", _endpoints(_read(DATA / "endpoints.json")))
    _write(folder / VERSION / "service-2.json", _service(_read(DATA / VERSION / "service-2.json")))
    for name in ("endpoint-rule-set-1.json", "paginators-1.json"):
        _write(folder / VERSION / name, _read(DATA / VERSION / name))


def _service(model: dict[str, Any]) -> dict[str, Any]:
    operations = {name: operation for name, operation in model["operations"].items() if name in OPERATIONS}
    known = model["shapes"]
    wanted: dict[str, Any] = {}
    names = list(_shape_names(operations))
    while names:
        name = names.pop()
        if name not in wanted:
            wanted[name] = known[name]
            names += _shape_names(known[name])
    return _undocumented({**model, "operations": operations, "shapes": wanted})  # type: ignore[no-any-return]  # JSON in, JSON out


def _shape_names(part: Any) -> Iterator[str]:
    """The shapes a part of the model refers to."""
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _shape_names(inner)


def _undocumented(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            name: _undocumented(inner) for name, inner in part.items() if not (name == "documentation" and isinstance(inner, str))
        }
    return [_undocumented(inner) for inner in part] if isinstance(part, list) else part


def _endpoints(data: dict[str, Any]) -> dict[str, Any]:
    kept = [
        {**part, "services": {name: found for name, found in part["services"].items() if name == "dynamodb"}}
        for part in data["partitions"]
    ]
    return {**data, "partitions": kept}


def _read(file: Path) -> Any:
    packed = file.with_name(f"{file.name}.gz")
    return json.loads(gzip.decompress(packed.read_bytes()) if packed.exists() else file.read_bytes())


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    prune(Path(sys.argv[1]))
