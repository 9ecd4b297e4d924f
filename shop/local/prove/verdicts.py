"""What a proof found, and the table of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One claim: what was to be seen, what was seen. A control must break: its guard was taken away."""

    claim: str
    seen: str
    holds: bool
    is_control: bool = False
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether the shop is proven right by it: a claim that holds, a control that does not."""
        return self.holds != self.is_control

    @property
    def word(self) -> str:
        if self.is_control:
            return "fails, as it must" if self.is_good else "HELD WITHOUT ITS GUARD"
        return "holds" if self.is_good else "BROKEN"


def as_table(verdicts: Sequence[Verdict]) -> str:
    """The verdicts for a terminal."""
    rows = [(verdict.word, f"{verdict.seconds:.0f} s", verdict.claim, verdict.seen) for verdict in verdicts]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(text.ljust(width) for text, width in zip(row[:3], widths, strict=True)), row[3]]).rstrip() for row in rows
    ]
    bad = sum(not verdict.is_good for verdict in verdicts)
    return "\n".join([*lines, "", f"{len(verdicts)} verdicts, {bad or 'none'} bad"])
