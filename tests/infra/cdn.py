"""CloudFront as the template describes it: which behaviour an address has, what goes in, what is kept for whom."""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.infra.browser import Browser, Page


@dataclass
class Cdn:
    """Stands before the gateway for several visitors; `hits` are the addresses answered without it."""

    config: dict[str, Any]
    kept: dict[tuple[str, str], Page] = field(default_factory=dict)
    hits: list[str] = field(default_factory=list)

    def get(self, visitor: Browser, path: str, *, is_htmx: bool = False) -> Page:
        """What the visitor receives."""
        behaviour = self.behaviour_of(path.partition("?")[0])
        if behaviour["CachePolicyId"] != {"Ref": "CataloguePolicy"}:
            return visitor.get(path)
        key = (path, str(is_htmx))  # cookies are no part of it, nor do they go in
        if key in self.kept:
            self.hits.append(path)
            return self.kept[key]
        headers = {**visitor.headers, **({"HX-Request": "true"} if is_htmx else {})}
        stranger = Browser(base=visitor.base, host=visitor.host, site=visitor.site, headers=headers)
        page = stranger.get(path)
        if page.status == 200 and re.search(r"\bpublic\b.*\bs-maxage=[1-9]", page.headers.get("cache-control", "")):
            self.kept[key] = page
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
