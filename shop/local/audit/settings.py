"""The settings of a laptop's shop, but with style sheets and scripts compressed and named as on AWS."""

from pathlib import Path

from shop.lib import env
from shop.settings import *  # noqa: F403 - settings build on settings

FOLDER = Path(env.text("AUDIT_FOLDER"))
STATIC_ROOT = FOLDER / "staticfiles"
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = False
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
