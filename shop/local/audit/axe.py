"""axe-core, as axe-playwright-python brings it, in a page that a browser has open. The audit and the browser tests share it."""

from dataclasses import dataclass

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# What axe looks at by itself (WCAG 2.1 A and AA, best practices), and the size of targets of 2.2, which has to be asked for.
_OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


@dataclass(frozen=True)
class Violation:
    """A rule that a page breaks, and where."""

    rule: str
    impact: str
    what: str
    targets: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule} ({self.impact}): {self.what}: {'; '.join(self.targets)}"


def violations(page: Page) -> list[Violation]:
    """What axe holds against the page as it is now."""
    found = Axe().run(page, options=_OPTIONS).response["violations"]
    return [
        Violation(one["id"], one["impact"], one["help"], tuple(_place(node["target"]) for node in one["nodes"])) for one in found
    ]


def _place(target: list[str | list[str]]) -> str:
    """A node's selector; one inside a frame has a list, one inside a shadow root a list in it."""
    return " ".join(part if isinstance(part, str) else " ".join(part) for part in target)
