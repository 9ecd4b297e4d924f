"""`python infra/drop_services.py FOLDER`: drops what libraries there have for others than the shop.

Of botocore what it knows of services the shop never speaks to; and gRPC, 19 MB that opensearch-py asks for and never imports.
"""

import shutil
import sys
from pathlib import Path

SERVICES = frozenset({"dynamodb", "s3", "sesv2", "sts"})
"""What production code makes clients of; tests/infra/test_image.py compares."""
UNUSED = ("boto3/examples", "boto3/data", "grpc")


def drop(folder: Path) -> None:
    """Remove the others' descriptions, and what is for interfaces that are not used."""
    for entry in (folder / "botocore" / "data").iterdir():
        if entry.is_dir() and entry.name not in SERVICES:
            shutil.rmtree(entry)
    for unused in UNUSED:
        shutil.rmtree(folder / unused, ignore_errors=True)


if __name__ == "__main__":
    drop(Path(sys.argv[1]))
