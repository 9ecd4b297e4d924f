"""The files of an index in one tar archive, and back."""

import re
import shutil
import tarfile
from pathlib import Path
from typing import IO, cast

from catalog.search.store import CorruptArchive

MAX_BYTES = 2_000_000_000
"""No archive may unpack to more than this: what a function's /tmp can be made to hold, and far above any embedded index."""
_FILE_NAME = re.compile(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


def pack_folder(folder: Path, archive: Path) -> None:
    """Put the index files of the folder into the archive. They are compressed already; lock files stay behind."""
    with tarfile.open(archive, "w") as tar:
        for file in sorted(folder.iterdir()):
            if file.suffix != ".lock":
                tar.add(file, arcname=file.name, recursive=False)


def unpack(archive: Path, folder: Path) -> None:
    """Put the files of the archive into the folder, which must be new. Raises CorruptArchive.

    An index is plain files side by side: any path, link or device is refused, whoever made the archive.
    """
    folder.mkdir(parents=True)
    try:
        with tarfile.open(archive, "r:") as tar:
            members = list(tar)
            if sum(member.size for member in members) > MAX_BYTES:
                raise CorruptArchive(f"The archive unpacks to more than {MAX_BYTES} bytes")
            for member in members:
                if not member.isreg() or not _FILE_NAME.fullmatch(member.name):
                    raise CorruptArchive(f"The archive holds {member.name!r}, which is no file of an index")
                with (folder / member.name).open("xb") as out:
                    shutil.copyfileobj(cast("IO[bytes]", tar.extractfile(member)), out)
    except (tarfile.TarError, EOFError, FileExistsError) as error:
        raise CorruptArchive(f"The archive cannot be unpacked: {error}") from error
