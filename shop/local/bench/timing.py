"""The timed pass: pages and their floor in turns, in several rounds, so that a busy machine bends both alike."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from shop.local.bench.asks import Ask, WrongAnswer
from shop.local.bench.pages import Page
from shop.local.bench.scene import Scene
from shop.local.bench.workers import Answer, Worker

_ROUNDS = 5
_WARM_UP = 3


@dataclass
class Times:
    """Times of one page, gathered over the rounds; `cpu_ms` has one mean a round."""

    cpu_ms: list[float] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """Processor milliseconds a request: the median round."""
        return statistics.median(self.cpu_ms)

    @property
    def best_cpu(self) -> float:
        """Processor milliseconds a request in the round that other processes disturbed least."""
        return min(self.cpu_ms)

    @property
    def table_calls(self) -> float:
        """Table calls a request, in the round that made the fewest: now and then one asks for the menu again."""
        return min(self.calls)

    def wall(self, percent: int) -> float:
        """So many per cent of the requests were answered within this many milliseconds."""
        return percentile([answer.wall_ms for answer in self.answers], percent)


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many per cent of all do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


class PageTimes:
    """Times a page and its floor."""

    def __init__(self, page: Page, *, scene: Scene, shop: Worker, floor: Worker | None = None) -> None:
        self.page = page
        self.ours = Times()
        self.least = Times() if floor else None
        self._scene = scene
        self._shop = shop
        self._floor = floor
        self._again: Ask | None = None

    def warm_up(self) -> None:
        """Let both workers meet the page. Raises WrongAnswer."""
        self._round(_WARM_UP, Times(), Times())

    def time(self, requests: int) -> None:
        """One round of so many requests to each. Raises WrongAnswer."""
        self._round(requests, self.ours, self.least)

    def _round(self, requests: int, ours: Times, least: Times | None) -> None:
        asks = [self._ask() for _ in range(requests)]
        _time(self._shop, asks, ours, self._check)
        if self._floor and least:
            _time(self._floor, [Ask(f"/floor/{self.page.name.replace(' ', '%20')}")] * requests, least, _check_floor)

    def _ask(self) -> Ask:
        if self.page.is_once:
            return self.page.prepare(self._scene)
        self._again = self._again or self.page.prepare(self._scene)
        return self._again

    def _check(self, answer: Answer) -> None:
        if answer.status != self.page.status:
            raise WrongAnswer(f"{self.page.name}: the worker answered {answer.status}, not {self.page.status}.")


def time_pages(pages: Sequence[PageTimes], *, requests: int) -> None:
    """Time all pages with so many requests each. Raises WrongAnswer."""
    for page in pages:
        page.warm_up()
    rounds = min(_ROUNDS, requests)
    for _ in range(rounds):
        for page in pages:
            page.time(math.ceil(requests / rounds))


def _time(worker: Worker, asks: Sequence[Ask], times: Times, check: Callable[[Answer], None]) -> None:
    before = worker.usage()
    for ask in asks:
        answer = worker.ask(ask)
        check(answer)
        times.answers.append(answer)
    after = worker.usage()
    times.cpu_ms.append((after.cpu_ms - before.cpu_ms) / len(asks))
    times.calls.append((after.table_calls - before.table_calls) / len(asks))


def _check_floor(answer: Answer) -> None:
    if answer.status != HTTPStatus.OK:
        raise WrongAnswer(f"The floor answered {answer.status}: {answer.body[:200]!r}")
