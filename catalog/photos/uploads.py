"""A photograph's way from a browser to the shop: straight into the bucket by a signed form, then taken in from there."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from catalog.photos.refusals import CONTENT_TYPES, MAX_BYTES, NotAnImage, PhotoRefused, TooLarge, UnknownUpload, UnsupportedType
from catalog.photos.storage import bucket, store_photo
from shop.lib.ids import new_id
from shop.lib.s3 import s3_host

FORM_LIFE = timedelta(minutes=10)
"""How long a browser may take to send what a form was signed for."""
_KEY = re.compile(r"uploads/upl-[0-9a-z]{17}")


@dataclass(frozen=True)
class Upload:
    """A form that a browser may send once or again: POST `fields` and then the file, as `file`, to `url`."""

    url: str
    fields: dict[str, str]
    key: str


def upload_origin() -> str:
    """The origin that forms are posted to, for a page's policy."""
    if settings.AWS_ENDPOINT_URL:
        return str(settings.AWS_ENDPOINT_URL).rstrip("/")
    return f"https://{settings.MEDIA_BUCKET}.{s3_host(settings.AWS_REGION)}"


def start_upload(*, content_type: str, size: int, now: datetime, then: str = "") -> Upload:
    """Let a browser put one file of this type into the bucket. Raises UnsupportedType, TooLarge, NotAnImage (of 0 bytes).

    With `then` the bucket sends the browser on to that address, for a form that is sent without a script.
    """
    if content_type not in CONTENT_TYPES:
        raise UnsupportedType(content_type)
    if size > MAX_BYTES:
        raise TooLarge(size)
    if size < 1:
        raise NotAnImage
    key = f"uploads/{new_id('upl', now)}"
    onward = {"success_action_redirect": then} if then else {}
    # Signed and expiring by the machine's own clock, which is the one that the bucket compares with.
    form = bucket().generate_presigned_post(
        Bucket=settings.MEDIA_BUCKET,
        Key=key,
        Fields={"Content-Type": content_type, **onward},
        Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, MAX_BYTES], *([onward] if then else [])],
        ExpiresIn=int(FORM_LIFE.total_seconds()),
    )
    return Upload(url=form["url"], fields=form["fields"], key=key)


def finish_upload(*, key: str) -> str:
    """Take in what was uploaded under this key; the photograph's key. Repeating it gives the same answer.

    Raises UnknownUpload, TooLarge, NotAnImage, DamagedImage, TooManyPixels. What is refused is deleted.

    The order matters, for a repetition after a break anywhere:
    1. The photograph is stored, under a name made of its content.
    2. A note beside the upload says what became of it.
    3. The upload is deleted.
    """
    # The key comes back from a browser: it must not be able to name anything else in the bucket.
    if not _KEY.fullmatch(key):
        raise UnknownUpload(key)
    data = _uploaded(key)
    if data is None:
        return _noted(key)
    try:
        photo = store_photo(data)
    except PhotoRefused:
        _delete(key)
        raise
    bucket().put_object(Bucket=settings.MEDIA_BUCKET, Key=_note(key), Body=photo.encode(), ContentType="text/plain")
    _delete(key)
    return photo


def _uploaded(key: str) -> bytes | None:
    """The upload's content, or None when there is none (any more). Raises TooLarge, having read nothing."""
    client = bucket()
    try:
        found = client.get_object(Bucket=settings.MEDIA_BUCKET, Key=key)
    except client.exceptions.NoSuchKey:
        return None
    with found["Body"] as body:
        if found["ContentLength"] > MAX_BYTES:
            _delete(key)
            raise TooLarge(found["ContentLength"])
        return bytes(body.read())


def _noted(key: str) -> str:
    client = bucket()
    try:
        found = client.get_object(Bucket=settings.MEDIA_BUCKET, Key=_note(key))
    except client.exceptions.NoSuchKey as error:
        raise UnknownUpload(key) from error
    return str(found["Body"].read().decode())


def _note(key: str) -> str:
    """Beside the upload, so that one lifecycle rule for `uploads/` sweeps both."""
    return f"{key}.done"


def _delete(key: str) -> None:
    bucket().delete_object(Bucket=settings.MEDIA_BUCKET, Key=key)
