"""The media bucket as tests look at it and fill it."""

import urllib.error
import urllib.request
from datetime import datetime

from catalog import photos

BUCKET = "shop-media"


def stored_keys() -> list[str]:
    return [item["Key"] for item in photos.bucket().list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def content_of(key: str) -> bytes:
    return bytes(photos.bucket().get_object(Bucket=BUCKET, Key=key)["Body"].read())


def send(upload: photos.Upload, content: bytes, **changes: str) -> int:
    """Post the form as a browser does; the status of the answer."""
    boundary = "a-line-between-fields"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (upload.fields | changes).items()
    ]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="mug.jpg"\r\n\r\n'.encode())
    body = b"".join([*parts, content, f"\r\n--{boundary}--\r\n".encode()])
    request = urllib.request.Request(upload.url, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def start(now: datetime, content_type: str = "image/jpeg") -> photos.Upload:
    return photos.start_upload(content_type=content_type, size=1000, now=now)


def put_upload(content: bytes, now: datetime) -> str:
    """The key of an upload that is there."""
    key = start(now).key
    photos.bucket().put_object(Bucket=BUCKET, Key=key, Body=content, ContentType="image/jpeg")
    return key
