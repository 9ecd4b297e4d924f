"""Product photographs: re-encoded to WebP in a few widths, kept in the media bucket under the hash of what they show."""

import hashlib
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.conf import settings

from catalog.models import PHOTO_WIDTHS

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITY = 82
"""WebP quality at which the demo photographs show no visible loss beside their originals."""


def store_photo(data: bytes) -> str:
    """Keep a photograph in every width; its key, as a product's `images` lists it. The same picture always gets the same key."""
    key = f"products/{hashlib.sha256(data).hexdigest()[:16]}"
    for width, encoded in webp_widths(data).items():
        _bucket().put_object(
            Bucket=settings.MEDIA_BUCKET,
            Key=f"{key}/{width}.webp",
            Body=encoded,
            ContentType="image/webp",
            CacheControl="public, max-age=31536000, immutable",
        )
    return key


def webp_widths(data: bytes) -> dict[int, bytes]:
    """The picture as WebP in each of PHOTO_WIDTHS, by width, without its metadata. Raises PIL.UnidentifiedImageError."""
    from PIL import Image  # only who stores photographs pays for it

    with Image.open(BytesIO(data)) as opened:
        picture = opened.convert("RGB")
        return {width: _encode(picture, width) for width in PHOTO_WIDTHS}


def _encode(picture: "Image", width: int) -> bytes:
    height = max(1, round(picture.height * width / picture.width))
    out = BytesIO()
    resized = picture if picture.width == width else picture.resize((width, height))
    resized.save(out, "WEBP", quality=_QUALITY, method=4)
    return out.getvalue()


@cache
def _bucket() -> Any:
    import boto3

    return boto3.client("s3", region_name=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL or None)
