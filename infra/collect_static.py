"""`python infra/collect_static.py FOLDER [TARGET]`: static files under names made of their content, as production wants them.

A build knows no secret, so it makes up what the settings insist on.
"""

import base64
import os
import secrets
import sys


def main(folder: str, target: str = "") -> None:
    """Collect into <folder>/staticfiles, or into the target."""
    sys.path.insert(0, folder)
    os.chdir(folder)
    os.environ.pop("SHOP_LOCAL", None)
    os.environ |= made_up_settings()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    import django
    from django.core.management import call_command

    django.setup()
    if target:
        from django.conf import settings

        settings.STATIC_ROOT = target
    call_command("collectstatic", interactive=False, verbosity=0)


def made_up_settings() -> dict[str, str]:
    """Everything that has no default, and nothing of a laptop's."""
    return {
        "SITE_ORIGIN": "https://build.invalid",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "JWT_KEYS": "build:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "STRIPE_SECRET_KEY": "sk_test_build",
        "STRIPE_WEBHOOK_SECRET": "whsec_build",
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
