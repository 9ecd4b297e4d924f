"""The time, taken once at the edge (view, entry point, job) and handed inwards."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now in UTC, to the second: the tables keep times as text, and text with fractions sorts wrongly beside text without."""
    return datetime.now(UTC).replace(microsecond=0)
