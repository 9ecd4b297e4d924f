"""`manage.py processphotos FOLDER`: takes in the product photographs of a folder."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.photos import MAX_BYTES, PhotoRefused, TooLarge, photo_key, store_photo, webp_widths


class Unreadable(PhotoRefused):
    """The system does not let us read the file; the text says why."""


class Command(BaseCommand):
    help = "Store every picture of a folder as product photographs, and print the key of each. Repeating it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="files in it are taken in by name; folders and hidden files are not")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and store nothing")

    def handle(self, *args: Any, folder: Path, dry_run: bool, **options: Any) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder")
        files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
        if not files:
            raise CommandError(f"there is no file in {folder}")
        refused = 0
        for number, file in enumerate(files, start=1):
            progress = f"[{number}/{len(files)}] {file.name}"
            try:
                key = _key_of(file) if dry_run else store_photo(_content(file))
            except PhotoRefused as reason:
                refused += 1
                self.stderr.write(f"{progress} refused: {reason}")
            else:
                self.stdout.write(f"{progress} -> {key}")
        taken = len(files) - refused
        self.stdout.write(f"{taken} would be stored" if dry_run else f"{taken} stored")
        if refused:
            raise CommandError(f"{refused} of {len(files)} files refused")


def _key_of(file: Path) -> str:
    return photo_key(webp_widths(_content(file)))


def _content(file: Path) -> bytes:
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise TooLarge(size)
        return file.read_bytes()
    except OSError as error:
        raise Unreadable(error.strerror) from error
