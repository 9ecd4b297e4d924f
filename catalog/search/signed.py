"""Reading objects of a bucket without an S3 client.

Making a client reads S3's whole model and all regions' endpoints: 100 ms of a function's cold start, for two GETs. Signing them
with botocore's signer costs a tenth of that.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from shop.lib.s3 import s3_host

_CONNECT_SECONDS = 1
_READ_SECONDS = 3
"""Twice this and a page from the tables instead is still an honest answer, within ten seconds."""
_ATTEMPTS = 2
_OK, _NOT_FOUND, _SERVER_ERROR = 200, 404, 500


class NoAnswer(Exception):
    """The bucket cannot be reached, or refuses."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object: its version's tag, and a stream with botocore's `stream(size)` and urllib3's `read()`."""

    etag: str
    body: Any


class SignedReader:
    """GETs from one bucket, over connections that are kept. `endpoint_url` is empty on AWS."""

    def __init__(self, *, bucket: str, region: str, endpoint_url: str = "") -> None:
        self._region = region
        if endpoint_url or "." in bucket:  # no certificate covers a host name with a bucket of several parts
            self._base = f"{endpoint_url or f'https://{s3_host(region)}'}/{bucket}"
        else:
            self._base = f"https://{bucket}.{s3_host(region)}"
        self._session: Any = None
        self._credentials: Any = None

    def get(self, key: str) -> Found | None:
        """The object, to be read by the caller; None when there is none. Raises NoAnswer."""
        for _ in range(1, _ATTEMPTS):
            try:
                answer = self._send(key)
            except NoAnswer:
                continue
            if answer.status_code < _SERVER_ERROR:
                return _found(key, answer)
        return _found(key, self._send(key))

    def _send(self, key: str) -> Any:
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        try:
            self._prepare()
            request = AWSRequest(method="GET", url=f"{self._base}/{quote(key)}", stream_output=True)
            S3SigV4Auth(self._credentials.get_frozen_credentials(), "s3", self._region).add_auth(request)
            return self._session.send(request.prepare())
        except BotoCoreError as error:
            raise NoAnswer(str(error)) from error

    def _prepare(self) -> None:
        from botocore.exceptions import NoCredentialsError
        from botocore.httpsession import URLLib3Session

        from shop.lib.aws import session

        if self._session is None:
            self._session = URLLib3Session(timeout=(_CONNECT_SECONDS, _READ_SECONDS))
        self._credentials = self._credentials or session().get_credentials()
        if self._credentials is None:
            raise NoCredentialsError


def _found(key: str, answer: Any) -> Found | None:
    if answer.status_code == _OK:
        return Found(answer.headers["ETag"], answer.raw)
    if answer.status_code == _NOT_FOUND:
        return None
    raise NoAnswer(f"{key} was answered with {answer.status_code}: {answer.text[:500]}")
