"""The shop's templates and addresses; no middleware, no context but the drawing's own."""

from shop.local.bench.settings import *  # noqa: F403 - settings build on settings
from shop.local.bench.settings import TEMPLATES

ROOT_URLCONF = "shop.local.bench.floor.urls"
MIDDLEWARE = []
TEMPLATES[0]["OPTIONS"] |= {"context_processors": []}  # type: ignore[operator]  # a settings file's dicts are dicts of objects
