"""What does not add up, noted for staff to see."""

from orders.ledger_domain import Finding, FindingKind
from orders.ledger_models import finding_key, to_finding_row


def note_finding(finding: Finding) -> None:
    """Let staff see what does not add up; seen again, it is the same finding."""
    to_finding_row(finding).save()


def drop_finding(kind: FindingKind, subject: str) -> None:
    """What did not add up does now, or a person has seen to it."""
    finding_key(kind, subject).delete()
