"""What a picture shows."""

import io

from PIL import Image

from catalog import photos

BRICK, GREEN, WHITE, GROUND = (180, 60, 40), (40, 120, 60), (255, 255, 255), (0xFB, 0xF9, 0xF5)
WIDTHS = ("320", "640", "960", "1200")


def rendered(data: bytes, width: int = 1200) -> Image.Image:
    with Image.open(io.BytesIO(photos.webp_widths(data)[width])) as opened:
        assert opened.format == "WEBP"
        assert opened.mode == "RGB"
        opened.load()
        return opened


def shows(picture: Image.Image, across: float, down: float, colour: tuple[int, int, int], within: int = 8) -> bool:
    """Whether the picture has about this colour at this place, given in parts of its width and height."""
    found = picture.getpixel((int(across * picture.width), int(down * picture.height)))
    assert isinstance(found, tuple)
    return all(abs(one - other) <= within for one, other in zip(found, colour, strict=True))
