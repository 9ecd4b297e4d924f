"""Shapes of what stands in an address."""


class IdConverter:
    """An id of ours or of another system: what is longer is no id, and too long for a key of a table."""

    regex = "[-a-zA-Z0-9_]{1,100}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
