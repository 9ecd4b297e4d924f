"""The laptop's mail viewer, and its stand-in for the CDN in front of the bucket of photographs."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from shop.local.mailbox import Mail, mail_with, mails

_CHUNK_BYTES = 64 * 1024
# A mail is a stranger's document: it may show itself and its pictures, open its links in new windows, and do nothing else.
_MAIL_CSP = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src *"
_LINKS_IN_NEW_WINDOWS = '<base target="_blank">'


@require_safe
def mail_list(request: HttpRequest) -> HttpResponse:
    return render(request, "local/mail_list.html", {"mails": mails()})


@require_safe
def mail_detail(request: HttpRequest, mail_id: str) -> HttpResponse:
    return render(request, "local/mail_detail.html", {"mail": _mail_or_404(mail_id)})


@require_safe
def mail_html(request: HttpRequest, mail_id: str) -> HttpResponse:
    response = HttpResponse(_LINKS_IN_NEW_WINDOWS + _mail_or_404(mail_id).html)
    response.headers["Content-Security-Policy"] = _MAIL_CSP
    # The viewer shows this document in a frame, which the rest of the site forbids.
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@require_safe
def media(request: HttpRequest, key: str) -> HttpResponseBase:
    if not key.startswith("products/"):  # as the CDN: uploads that nobody has looked at yet are in the bucket too
        raise Http404
    try:
        found = _s3().get_object(Bucket=settings.MEDIA_BUCKET, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket"):
            raise Http404 from error
        raise
    response = StreamingHttpResponse(_chunks(found["Body"]), content_type="image/webp")
    response.headers["Content-Length"] = str(found["ContentLength"])
    # As CloudFront sends it: a new photograph has a new name.
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["ETag"] = found["ETag"]
    return response


def _mail_or_404(mail_id: str) -> Mail:
    mail = mail_with(mail_id)
    if mail is None:
        raise Http404
    return mail


@cache
def _s3() -> Any:
    # A page asks for its photographs all at once: for more than botocore's ten connections, and it warns of each that it closes.
    return boto3.client("s3", region_name=settings.AWS_REGION, config=Config(max_pool_connections=50))


def _chunks(body: Any) -> Iterator[bytes]:
    try:
        yield from body.iter_chunks(_CHUNK_BYTES)
    finally:
        body.close()
