"""Spreading one busy index partition over several: the key text of each, and who lies where. docs/scale.md says when.

A partition of an index takes a thousand writes a second. With INDEX_PARTITIONS = n a row's partition is the plain one with a
number behind it that a hash of its id chooses (`ORDER#0` … `ORDER#n-1`); readers ask all of them and merge.
"""

import zlib

from django.conf import settings


def own_partition(base: str, row_id: str) -> str:
    """The partition the row of this id lies in, of those that together are `base`."""
    if settings.INDEX_PARTITIONS == 1:
        return base
    # The same in every process and release, which Python's own hash is not.
    return f"{base}#{zlib.crc32(row_id.encode()) % settings.INDEX_PARTITIONS}"


def all_partitions(base: str) -> tuple[str, ...]:
    """What readers ask: the plain one too, for rows that were written before the setting was more than one."""
    numbered = range(settings.INDEX_PARTITIONS if settings.INDEX_PARTITIONS > 1 else 0)
    return (base, *(f"{base}#{number}" for number in numbered))
