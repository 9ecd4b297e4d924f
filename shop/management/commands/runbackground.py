"""`manage.py runbackground`: what AWS does beside the web function, on a laptop: the stream worker and the job clock."""

import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import autoreload

from shop.entrypoints import jobs, stream
from shop.local.clock import run_clock
from shop.local.streams import StreamWorker


class Command(BaseCommand):
    help = "Deliver table changes to the stream function and run the scheduled jobs, for a local shop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, default=Path(".shop-data"), help="folder for records that were put aside")
        parser.add_argument("--noreload", action="store_true", help="do not start again when the code changes")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["noreload"]:
            work(options["data"])
        else:
            autoreload.run_with_reloader(work, options["data"])


def work(data: Path) -> None:
    """Run both until the process ends; the work that an end interrupts is done again, which every handler must bear."""
    stop = threading.Event()
    threading.Thread(target=run_clock, kwargs={"handler": jobs.handler, "stop": stop}, daemon=True).start()
    StreamWorker(
        tables=[f"{settings.TABLE_PREFIX}{name}" for name in stream.REACTIONS],
        checkpoint_table=f"{settings.TABLE_PREFIX}StreamCheckpoints",
        handler=stream.handler,
        dead_letters=data / "put-aside.jsonl",
        stop=stop,
    ).run()
