"""What was found not to add up, and putting it right as staff do."""

from datetime import datetime

from orders import ledger_queries as books
from orders import services
from orders.ledger_domain import FindingKind
from tests.orders.paid import EVE


def found() -> list[tuple[str, str]]:
    """Kind and subject of each finding, in order."""
    return sorted((finding.kind.value, finding.subject) for finding in books.findings())


def put_right(kind: FindingKind, subject: str, now: datetime) -> None:
    services.put_right(kind=kind, subject=subject, actor=EVE, now=now)
