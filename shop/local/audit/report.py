"""What was found, beside the budgets: for a person and for a program."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from shop.local.audit.lighthouse import CATEGORIES, PRESETS, Scores
from shop.local.audit.walk import Seen
from shop.local.audit.weights import Weights

KB = 1024
LEAST_SCORE = 98
MOST = Weights(html=14 * KB, css=12 * KB, js=22 * KB)
_MACHINE = "“machine” is how quick this one was meanwhile: under 1,000, scores of performance tell of it rather than of the shop."


@dataclass(frozen=True)
class Report:
    """All of it; what was left out is empty."""

    seen: Sequence[Seen]
    scores: Mapping[tuple[str, str], Scores] = field(default_factory=dict)
    """By page and preset."""
    weights: Mapping[str, Weights] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    """The pages that the budgets are for."""
    left_out: str = ""
    """Why there are no scores."""

    @property
    def broken(self) -> tuple[str, ...]:
        """The budgets that are broken, in words."""
        return tuple(self._broken())

    def _broken(self) -> Iterator[str]:
        for one in self.seen:
            for problem in one.problems:
                yield f"{one.page} {one.path} ({one.who}, {one.width} px): {problem}"
        for (page, preset), found in self.scores.items():
            for name, score in found.scores.items():
                if page in self.held and score < LEAST_SCORE:
                    yield f"{page}, {preset}: {name} {score}, at least {LEAST_SCORE} wanted"
        for page, weight in self.weights.items():
            for name, most in asdict(MOST).items():
                if page in self.held and (is_ := asdict(weight)[name]) > most:
                    yield f"{page}: {name.upper()} of {is_ / KB:.1f} KB, at most {most / KB:.0f} wanted"


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON holds it."""
    return {
        "lighthouse": [{"page": page, "preset": preset, **asdict(found)} for (page, preset), found in report.scores.items()],
        "weights": {page: asdict(weight) for page, weight in report.weights.items()},
        "axe": {"views": len(report.seen), "problems": [asdict(one) for one in report.seen if one.problems]},
        "broken": list(report.broken),
        "left_out": report.left_out,
    }


def as_text(report: Report) -> str:
    """The report as a person reads it."""
    lines: list[str] = []
    if report.left_out:
        lines += [report.left_out, ""]
    if report.scores:
        lines += [*_score_table(report), "", *_lost(report), "", _MACHINE, ""]
    if report.weights:
        lines += [*_weight_table(report), ""]
    if report.seen:
        wrong = sum(bool(one.problems) for one in report.seen)
        pages = len({one.page for one in report.seen})
        lines.append(f"axe: {len(report.seen)} views of {pages} pages, problems on {wrong}.")
    broken = report.broken
    lines += [*(f"  NOT MET: {one}" for one in broken), "" if broken else "Every budget is kept."]
    return "\n".join(lines).rstrip()


def _score_table(report: Report) -> list[str]:
    head = ["Lighthouse (median)", *CATEGORIES, "LCP ms", "CLS", "TBT ms", "machine"]
    rows = [
        [
            f"{page}, {preset}",
            *(str(found.scores[name]) for name in CATEGORIES),
            f"{found.largest_paint_ms:.0f}",
            f"{found.layout_shift:.3f}",
            f"{found.blocking_ms:.0f}",
            f"{found.machine:.0f}",
        ]
        for preset in PRESETS
        for (page, of), found in report.scores.items()
        if of == preset
    ]
    return _table(head, rows)


def _lost(report: Report) -> Iterator[str]:
    for (page, preset), found in report.scores.items():
        if found.lost and any(score < 100 for score in found.scores.values()):  # noqa: PLR2004 - all of it
            yield f"  {page}, {preset} lost points to {', '.join(found.lost)}"


def _weight_table(report: Report) -> list[str]:
    head = ["First visit, KB", "HTML", "CSS", "JS"]
    budget = [f"at most ({', '.join(sorted(report.held))})", *(f"{most / KB:.0f}" for most in asdict(MOST).values())]
    rows = [[page, *(f"{size / KB:.1f}" for size in asdict(weight).values())] for page, weight in report.weights.items()]
    return _table(head, [*rows, budget])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (head, *rows)
    ]
