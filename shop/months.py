"""The months by which staff read what is kept month by month."""

import re
from datetime import UTC, datetime, timedelta

from shop.lib.clock import utc_now

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])", re.ASCII)


def month_asked(text: str) -> datetime:
    """The month asked for, such as 2026-05; this one for nonsense."""
    if _MONTH.fullmatch(text):
        return datetime(int(text[:4]), int(text[5:]), 1, tzinfo=UTC)
    return utc_now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def months_beside(month: datetime) -> tuple[datetime, datetime | None]:
    """The month before, and the one after unless it is still to come."""
    later = (month + timedelta(days=31)).replace(day=1)
    return (month - timedelta(days=1)).replace(day=1), later if later <= utc_now() else None
