"""What does not add up, noted for staff to see."""

from orders.ledger_domain import Finding, FindingKind
from orders.ledger_models import FindingRow, finding_key, to_finding_row


def note_finding(finding: Finding) -> None:
    """Let staff see what does not add up; seen again, it is the same finding, found when it was first seen."""
    row = to_finding_row(finding)
    told = {"order_id": row.order_id, "payment_intent_id": row.payment_intent_id, "amount": row.amount, "currency": row.currency}
    row.update(
        actions=[
            FindingRow.kind.set(row.kind),
            FindingRow.subject.set(row.subject),
            FindingRow.detail.set(row.detail),
            FindingRow.found_at.set(FindingRow.found_at | row.found_at),
            *(getattr(FindingRow, name).set(value) for name, value in told.items() if value is not None),
        ]
    )


def drop_finding(kind: FindingKind, subject: str) -> None:
    """What did not add up does now, or a person has seen to it."""
    finding_key(kind, subject).delete()
