"""axe on every page, at the width of a phone and of a screen, as those who may see it, and on forms with mistakes in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, BrowserContext, Error, Response

from shop.local.audit import axe
from shop.local.audit.routes import ROUTES, NotAPage, Visit, Who

if TYPE_CHECKING:  # it needs the settings, which the running shop gives
    from shop.local.audit.stage import Stage

WIDTHS = (390, 1280)
_HEIGHT = 900
# What a form is emptied of before it is sent: what people type and tick. A choice of a list cannot be emptied by anybody.
_SEND_EMPTIED = """form => {
  for (const field of form.querySelectorAll('input, textarea')) {
    if (['hidden', 'submit', 'button'].includes(field.type)) continue;
    if (['checkbox', 'radio'].includes(field.type)) field.checked = false; else field.value = '';
  }
  form.submit();
}"""
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True)
class Seen:
    """A page that was looked at, and what is wrong with it."""

    page: str
    path: str
    who: str
    width: int
    problems: tuple[str, ...]


def walk(browser: Browser, *, origin: str, stage: "Stage", only: str = "", pictures: Path | None = None) -> Iterator[Seen]:
    """Look at every page whose name has `only` in it; with `pictures`, a folder that gets a picture of each."""
    visits = [
        (name, visit) for name, route in ROUTES.items() if not isinstance(route, NotAPage) for visit in route if only in name
    ]
    for width in WIDTHS:
        for who in Who:
            theirs = [(name, visit) for name, visit in visits if visit.who is who]
            context = browser.new_context(
                base_url=origin,
                viewport={"width": width, "height": _HEIGHT},
                reduced_motion="reduce",
                has_touch=width == WIDTHS[0],
            )
            context.add_cookies([{"name": name, "value": value, "url": origin} for name, value in stage.cookies(who).items()])
            for name, visit in theirs:
                look = _Look(context, name, stage.path(name, visit), visit, width, pictures)
                yield look.first()
                if visit.wrong:
                    yield look.with_mistakes()
                look.page.close()
            context.close()


class _Look:
    """One page in a tab of its own."""

    def __init__(self, context: BrowserContext, name: str, path: str, visit: Visit, width: int, pictures: Path | None) -> None:
        self.page = context.new_page()
        self._name, self._path, self._visit, self._width, self._pictures = name, path, visit, width, pictures
        self._complaints: list[str] = []
        self.page.on("pageerror", lambda error: self._complaints.append(f"script: {error}"))
        self.page.on("console", lambda message: self._note(message.type, message.text))

    def first(self) -> Seen:
        """As it comes."""
        return self._seen(lambda: self.page.goto(self._path), self._visit.status, "")

    def with_mistakes(self) -> Seen:
        """After its form was sent with nothing in it. The answer may be the page, or lead to it."""

        def send() -> Response | None:
            with self.page.expect_navigation() as arrived:
                self.page.locator(self._visit.wrong).first.evaluate(_SEND_EMPTIED)
            return arrived.value

        return self._seen(send, None, ", mistakes")

    def _seen(self, come: Callable[[], Response | None], status: int | None, suffix: str) -> Seen:
        self._complaints.clear()
        try:
            problems = list(self._problems(come(), status))
            self._picture(suffix)
        except Error as trouble:
            problems = [f"could not be looked at: {trouble.message.splitlines()[0]}"]
        return Seen(self._name + suffix, self._path, self._visit.who, self._width, (*problems, *self._complaints))

    def _problems(self, answer: Response | None, status: int | None) -> Iterator[str]:
        self.page.wait_for_load_state("networkidle")
        yield from self._astray(answer, status)
        yield from map(str, axe.violations(self.page))
        overflow = int(self.page.evaluate(_OVERFLOW))
        if overflow > 0:
            yield f"{overflow} pixels wider than the window"

    def _astray(self, answer: Response | None, status: int | None) -> Iterator[str]:
        """Whether something else than the page was looked at: a page to sign in, an error."""
        came = answer.status if answer else 0
        if status is None and (
            came >= HTTPStatus.INTERNAL_SERVER_ERROR or not self.page.locator("[aria-invalid=true], .error, [role=alert]").count()
        ):
            yield f"no mistakes are shown: {came} at {self.page.url}"
        elif status is not None and (came != status or not self.page.url.endswith(self._path)):
            yield f"not reached: {came} at {self.page.url}"

    def _note(self, kind: str, text: str) -> None:
        # Chromium says so of every page whose answer is 4xx, which is right for mistakes and missing things.
        if kind in ("error", "warning") and "the server responded with a status of 4" not in text:
            self._complaints.append(f"console: {text}")

    def _picture(self, suffix: str) -> None:
        if self._pictures:
            name = f"{self._name}{suffix}-{self._path.strip('/')}-{self._visit.who}-{self._width}"
            safe = "".join(one if one.isalnum() else "-" for one in name)[:150]
            self.page.screenshot(path=self._pictures / f"{safe}.png", full_page=True)
