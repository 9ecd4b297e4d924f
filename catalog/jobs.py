"""What the schedule does with the catalogue. Each tells how many things it did, and may run twice."""

from datetime import datetime

from catalog import services
from catalog.editing import CLOCK


def publish_due_products(*, now: datetime) -> int:
    """Make the drafts active whose time has come."""
    return services.publish_due_products(now=now)


def move_renamed_products(*, now: datetime) -> int:
    """Bring products of renamed categories along."""
    return services.move_renamed_products(now=now, actor=CLOCK)
