"""What the schedule does with the catalogue. Each tells how many things it did, and may run twice."""

from datetime import datetime

from catalog import services


def publish_due_products(*, now: datetime) -> int:
    """Make the drafts active whose time has come."""
    return services.publish_due_products(now=now)
