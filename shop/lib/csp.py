"""What a page may load and where its forms may go: the Content-Security-Policy of every answer, and of the few that need more."""

from urllib.parse import urlsplit

from django.conf import settings


def content_security_policy(*, upload_origin: str = "") -> str:
    """The policy; with `upload_origin` of a page that sends files straight there, by a form or a script."""
    media = urlsplit(settings.MEDIA_URL)
    origins = [f"{media.scheme}://{media.netloc}"] if media.netloc else []
    images = "".join(f" {origin}" for origin in [*origins, *settings.IMAGE_ORIGINS])
    there = f" {upload_origin}" if upload_origin else ""
    # So does signing out with one to the staff's sign-in pages, which end the session there too.
    elsewhere = f" {settings.COGNITO_SIGN_IN_URL}" if settings.COGNITO_SIGNS_IN else ""
    return "; ".join(
        [
            "default-src 'self'",
            *([f"connect-src 'self'{there}"] if there else []),
            f"img-src 'self' data:{images}",
            # A post that is answered with a redirect to Stripe counts as a form action of Stripe's origin.
            f"form-action 'self' {settings.STRIPE_CHECKOUT_ORIGIN}{elsewhere}{there}",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
        ]
    )


def mail_policy() -> str:
    """The policy of a mail's HTML shown in a frame of ours: styles of its own and our photographs, and nothing that runs."""
    media = urlsplit(settings.MEDIA_URL)
    origin = f" {media.scheme}://{media.netloc}" if media.netloc else ""
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:{origin}; frame-ancestors 'self'; sandbox"
