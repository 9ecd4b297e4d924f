"""CloudFront as the template describes it: which behaviour an address has, what goes in, what is kept for whom and how long."""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.infra.browser import Browser, Page

_SERVER_ERROR = 500


@dataclass
class Cdn:
    """Stands before the gateway for several visitors; `hits` are the addresses answered without it, `stale` those for want of it.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
    """

    config: dict[str, Any]
    clock: float = 0
    """Seconds, moved by the test."""
    kept: dict[tuple[str, str], tuple[Page, float]] = field(default_factory=dict)
    hits: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)

    def get(self, visitor: Browser, path: str, *, is_htmx: bool = False) -> Page:
        """What the visitor receives."""
        behaviour = self.behaviour_of(path.partition("?")[0])
        if behaviour["CachePolicyId"] != {"Ref": "CataloguePolicy"}:
            return visitor.get(path)
        key = (path, str(is_htmx))  # cookies are no part of it, nor do they go in
        kept, at = self.kept.get(key, (None, 0.0))
        age = self.clock - at
        if kept and age < seconds(kept, "s-maxage"):
            self.hits.append(path)
            return kept
        headers = {**visitor.headers, **({"HX-Request": "true"} if is_htmx else {})}
        stranger = Browser(base=visitor.base, host=visitor.host, site=visitor.site, headers=headers)
        page = stranger.get(path)
        if kept and page.status >= _SERVER_ERROR and age < seconds(kept, "s-maxage") + seconds(kept, "stale-if-error"):
            self.stale.append(path)
            return kept
        if page.status == 200 and "public" in page.headers.get("cache-control", "") and seconds(page, "s-maxage"):
            self.kept[key] = (page, self.clock)
        # What CloudFront lets through that it does not keep reaches the visitor, cookies included.
        visitor.cookies |= stranger.cookies
        return page

    def behaviour_of(self, path: str) -> dict[str, Any]:
        """The first that matches, as CloudFront chooses."""
        found: dict[str, Any] = next(
            (one for one in self.config["CacheBehaviors"] if fnmatchcase(path, one["PathPattern"])),
            self.config["DefaultCacheBehavior"],
        )
        return found


def seconds(page: Page, directive: str) -> int:
    """What the page's Cache-Control gives it of this."""
    found = re.search(rf"\b{directive}=(\d+)", page.headers.get("cache-control", ""))
    return int(found[1]) if found else 0
