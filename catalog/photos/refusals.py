"""Why a picture is not taken. Pages have words of their own for each; the text of an exception is for terminals and logs."""

MAX_BYTES = 15 * 1024 * 1024
"""The largest file that is taken in: a JPEG of 40 megapixels from a good camera fits."""
MAX_PIXELS = 40_000_000
MAX_SIDE = 12_000
CONTENT_TYPES = ("image/jpeg", "image/png", "image/webp")
"""The kinds of picture that are taken in."""


class PhotoRefused(Exception):
    """A picture was not taken; nothing of it was stored."""


class UnsupportedType(PhotoRefused):
    """The browser names another kind of file than those of CONTENT_TYPES."""

    def __init__(self, content_type: str) -> None:
        super().__init__(f"{content_type or 'an unknown kind of file'} is not one of {', '.join(CONTENT_TYPES)}")
        self.content_type = content_type


class TooLarge(PhotoRefused):
    """The file has too many bytes."""

    def __init__(self, size: int, limit: int = MAX_BYTES) -> None:
        super().__init__(f"{size:,} bytes are more than {limit:,}")
        self.size = size
        self.limit = limit


class NotAnImage(PhotoRefused):
    """The bytes are no JPEG, PNG or WebP, whatever the file is called."""

    def __init__(self) -> None:
        super().__init__("not a JPEG, PNG or WebP picture")


class DamagedImage(PhotoRefused):
    """It begins like a picture, but cannot be decoded to its end."""

    def __init__(self) -> None:
        super().__init__("damaged or incomplete")


class TooManyPixels(PhotoRefused):
    """Decoding it would take too much memory: `limit` is how many pixels a picture of its kind may have, `max_side` how long."""

    def __init__(self, width: int, height: int, limit: int = MAX_PIXELS, max_side: int = MAX_SIDE) -> None:
        super().__init__(
            f"{width:,} x {height:,} pixels: a picture of this kind may have {limit / 1e6:.1f} megapixels "
            f"and {max_side:,} pixels a side"
        )
        self.width = width
        self.height = height
        self.limit = limit
        self.max_side = max_side


class UnknownUpload(PhotoRefused):
    """Nothing was uploaded under this key: it never was, it was refused, or it is gone by now."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no upload {key!r}")
        self.key = key
