"""Browsers by the names people know them by."""

from functools import lru_cache

_UNKNOWN = "an unknown browser"
_NAMES = {"Mac OS X": "macOS", "Mobile Safari": "Safari", "Chrome Mobile": "Chrome", "Firefox Mobile": "Firefox"}


@lru_cache(maxsize=256)
def device_name(user_agent: str) -> str:
    """Such as "Firefox on Linux". What a browser says of itself anybody can write: it only helps its owner to recognise it."""
    if not user_agent:
        return _UNKNOWN
    import ua_parser  # a thousand patterns, for the few pages and mails that name browsers

    found = ua_parser.parse(user_agent)
    browser = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    if browser in ("", "Other"):
        return _UNKNOWN
    name = _NAMES.get(browser, browser)
    return f"{name} on {_NAMES.get(system, system)}" if system and system != "Other" else name
