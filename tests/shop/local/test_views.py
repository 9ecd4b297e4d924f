from collections.abc import Iterator
from html import unescape

import boto3
import pytest
from django.conf import settings as django_settings
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings

from shop.local import prepare, views
from shop.local.mailbox import mails
from shop.local.ministack import Ministack


@pytest.fixture(scope="module")
def prepared(cloud: Ministack) -> Iterator[None]:
    """The sender's address and the bucket, made twice as two starts would."""
    for _ in range(2):
        prepare.verify_sender()
        prepare.create_media_bucket()
    yield
    s3 = boto3.client("s3")
    for found in s3.list_objects_v2(Bucket=django_settings.MEDIA_BUCKET).get("Contents", []):
        s3.delete_object(Bucket=django_settings.MEDIA_BUCKET, Key=found["Key"])
    s3.delete_bucket(Bucket=django_settings.MEDIA_BUCKET)
    views._s3.cache_clear()


@pytest.fixture
def sent(prepared: None, settings: Settings) -> str:
    """The id of a mail with text and HTML, sent as the shop sends every mail."""
    settings.EMAIL_BACKEND = "anymail.backends.amazon_ses.EmailBackend"
    mail = EmailMultiAlternatives(
        "Grüße – your order ✓", "Hällo Ann\nSee http://testserver/orders/1/", to=["Ann Example <ann@example.com>"]
    )
    mail.attach_alternative("<h1>Hällo</h1><script>alert(1)</script>", "text/html")
    assert mail.send() == 1
    return mails()[0].mail_id


def test_the_list_shows_the_newest_mail_first(client: Client, sent: str) -> None:
    EmailMultiAlternatives("A second one", "Text", to=["ben@example.com"]).send()
    text = unescape(client.get("/_local/mail/").content.decode())
    assert text.index("A second one") < text.index("Grüße – your order ✓")
    assert "ann@example.com" in text
    assert f'href="/_local/mail/{sent}/"' in text


def test_a_mail_shows_its_headers_its_text_and_a_frame_for_its_html(client: Client, sent: str) -> None:
    text = unescape(client.get(f"/_local/mail/{sent}/").content.decode())
    for expected in ("ann@example.com", "shop@example.com", "Grüße – your order ✓", "Hällo Ann\n"):
        assert expected in text
    assert '<a href="http://testserver/orders/1/"' in text
    assert f'src="/_local/mail/{sent}/html/"' in text
    assert "alert(1)" not in text


def test_the_html_of_a_mail_can_run_nothing_and_may_be_framed_here(client: Client, sent: str) -> None:
    answer = client.get(f"/_local/mail/{sent}/html/")
    assert "<h1>Hällo</h1>" in answer.content.decode()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("address", ["/_local/mail/nothing/", "/_local/mail/nothing/html/", "/_local/media/no/such.webp"])
@pytest.mark.usefixtures("prepared")
def test_what_is_not_there_is_not_found(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.usefixtures("prepared")
def test_a_photograph_is_sent_as_the_cdn_would(client: Client) -> None:
    boto3.client("s3").put_object(Bucket=django_settings.MEDIA_BUCKET, Key="products/a-400.webp", Body=b"RIFF" * 50_000)
    answer = client.get("/_local/media/products/a-400.webp")
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == b"RIFF" * 50_000  # type: ignore[attr-defined]  # a FileResponse
    assert answer.headers["Content-Type"] == "image/webp"
    assert answer.headers["Content-Length"] == "200000"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    answer.close()
