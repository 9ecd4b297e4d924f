"""`python infra/drop_services.py FOLDER`: drops what botocore there knows of services the shop never speaks to."""

import shutil
import sys
from pathlib import Path

SERVICES = frozenset({"dynamodb", "s3", "sesv2", "sts"})
"""What production code makes clients of; tests/infra/test_image.py compares."""


def drop(folder: Path) -> None:
    """Remove the others' descriptions, and what boto3 has for interfaces that are not used."""
    for entry in (folder / "botocore" / "data").iterdir():
        if entry.is_dir() and entry.name not in SERVICES:
            shutil.rmtree(entry)
    for unused in ("examples", "data"):
        shutil.rmtree(folder / "boto3" / unused, ignore_errors=True)


if __name__ == "__main__":
    drop(Path(sys.argv[1]))
