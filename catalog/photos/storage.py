"""Photographs in the media bucket, under names that say what they hold."""

import hashlib
from functools import cache
from typing import Any

from django.conf import settings

_FOREVER = "public, max-age=31536000, immutable"
_NAME_CHARS = 32
_CONNECT_SECONDS = 2
_READ_SECONDS = 7
"""Twice both is within the 20 s of a request, which botocore's own 60 s are not."""


def store_photo(data: bytes) -> str:
    """Keep a photograph in every width; its key, as a product's `images` lists it. Repeating it writes the same again.

    Raises TooLarge, NotAnImage, DamagedImage, TooManyPixels; then nothing was stored.
    """
    renditions = webp_widths(data)
    key = photo_key(renditions)
    for width, encoded in renditions.items():
        bucket().put_object(
            Bucket=settings.MEDIA_BUCKET,
            Key=f"{key}/{width}.webp",
            Body=encoded,
            ContentType="image/webp",
            CacheControl=_FOREVER,
        )
    return key


def webp_widths(data: bytes) -> dict[int, bytes]:
    """The picture as `store_photo` keeps it, by width. Raises TooLarge, NotAnImage, DamagedImage, TooManyPixels."""
    from catalog.photos import renditions  # Pillow: only who takes photographs in pays for it

    return renditions.webp_widths(data)


def photo_key(renditions: dict[int, bytes]) -> str:
    """The name of these very bytes.

    Browsers and the CDN keep a name's content for a year, so a name must never come to mean other bytes. It is therefore
    made of what is stored, not of the file it came from: another quality, width or encoder gives another name by itself.
    """
    digest = hashlib.sha256()
    for width, encoded in sorted(renditions.items()):
        digest.update(f"{width}:{len(encoded)}:".encode())
        digest.update(encoded)
    return f"products/{digest.hexdigest()[:_NAME_CHARS]}"


@cache
def bucket() -> Any:
    """The client of the media bucket."""
    import boto3
    from botocore.config import Config

    # Forms are posted to the address that is signed. On AWS that must be the region's own: a browser that is redirected from
    # the general one stops. Signature version 4 is the one that every region accepts.
    style = "path" if settings.AWS_ENDPOINT_URL else "virtual"
    own_address = {"addressing_style": style, "us_east_1_regional_endpoint": "regional"}  # botocore takes the general one there
    return boto3.client(
        "s3",
        region_name=settings.AWS_REGION,
        endpoint_url=settings.AWS_ENDPOINT_URL or None,
        config=Config(
            signature_version="s3v4",
            s3=own_address,
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 2},
        ),
    )
