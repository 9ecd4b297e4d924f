"""The shop's settings as on AWS, with a folder of the bench's own for what is collected and handed on."""

from pathlib import Path

from shop.lib import env
from shop.settings import *  # noqa: F403 - settings build on settings

FOLDER = Path(env.text("BENCH_FOLDER"))
STATIC_ROOT = FOLDER / "staticfiles"
DRAWINGS = FOLDER / "drawings.pickle"
