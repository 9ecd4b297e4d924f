"""From the bytes of a stranger's picture to our own WebP. The only module that imports Pillow."""

import struct
import warnings
import zlib
from io import BytesIO
from math import ceil, floor

from PIL import Image, ImageCms, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from catalog.models import PHOTO_WIDTHS
from catalog.photos.containers import Container, read_container
from catalog.photos.refusals import MAX_BYTES, MAX_PIXELS, MAX_SIDE, DamagedImage, TooLarge, TooManyPixels

# For the whole process, which opens no other pictures. Containers are judged before Pillow sees them, so these are the
# second lock on the same door: they hold should Pillow ever read another size than `read_container` does.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)

_PLUGINS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
}
_MAX_MEMORY = 130_000_000
"""What a picture may take by the estimate of `_memory`; measured, all of it then stays within 150 MB."""
# What a pixel of the largest rendition takes: beside the decoded picture, and later with its conversions and the encoder.
_RENDITION_BYTES, _ENCODING_BYTES = 4, 13
_FILE_COPIES = {"JPEG": 3, "PNG": 3, "WEBP": 6}
_STRIP_PIXELS = 1_000_000
_GROUND = (0xFB, 0xF9, 0xF5)
"""The ground of the shop's pages, for pictures one can see through."""

_QUALITY = 82
"""WebP quality at which the demo photographs show no visible loss beside their originals."""
_EFFORT = 2
"""Of 0 to 6. Beside 4 it takes 40 % of the time and 4 % more bytes, and its error is as small (46.5 dB against 46.9)."""
_BETWEEN_WIDTHS = Image.Resampling.HAMMING
"""From one width to the next smaller one: half the time of the best filter, and 46 dB or closer to it."""

# What Exif says was done to the picture, and how to undo it.
_UPRIGHTING = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# What Pillow's three decoders raise on broken input, besides its own errors, which are OSErrors.
_DECODING_ERRORS = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)


def webp_widths(data: bytes) -> dict[int, bytes]:
    """The picture upright, in sRGB and without metadata, as WebP in each of PHOTO_WIDTHS, by width.

    No rendition is wider than the original: for the widths beyond it the original's own width is given.
    Raises TooLarge, NotAnImage, DamagedImage, TooManyPixels.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(len(data))
    container = read_container(data)
    if max(container.width, container.height) > MAX_SIDE or container.width * container.height > MAX_PIXELS:
        raise TooManyPixels(container.width, container.height)
    picture = _main(container)
    whole = picture.size
    encoded: dict[int, bytes] = {}
    last: bytes | None = None
    for width in sorted(PHOTO_WIDTHS, reverse=True):
        if width < picture.width:
            picture = picture.resize(_scaled(whole, width), _BETWEEN_WIDTHS)
            last = None
        last = encoded[width] = last or _encode(picture)
    return encoded


def _main(container: Container) -> Image.Image:
    """The largest rendition, decoded: opaque, upright RGB."""
    picture, icc_profile = _decoded(container)
    picture = _opaque(_in_srgb(picture, icc_profile))
    method = _UPRIGHTING.get(container.orientation)
    return picture if method is None else picture.transpose(method)


def _decoded(container: Container) -> tuple[Image.Image, bytes | None]:
    """The picture in the size of its largest rendition, and its colour profile."""
    size = _main_size(container)
    gap = _draft_gap(container, size)
    try:
        with _PLUGINS[container.format](BytesIO(container.bare)) as opened:
            if opened.size != (container.width, container.height):
                raise DamagedImage
            opened.draft(None, (size[0] * gap, size[1] * gap))
            opened.load()
            return _reduced(opened, size), opened.info.get("icc_profile")
    except _DECODING_ERRORS as error:
        raise DamagedImage from error


def _main_size(container: Container) -> tuple[int, int]:
    """The size of the largest rendition before it is put upright."""
    own = (container.width, container.height)
    if container.stands_on_its_side:
        return _scaled(own[::-1], max(PHOTO_WIDTHS))[::-1]
    return _scaled(own, max(PHOTO_WIDTHS))


def _scaled(size: tuple[int, int], width: int) -> tuple[int, int]:
    """The size in this width, never larger."""
    if width >= size[0]:
        return size
    return width, max(1, round(size[1] * width / size[0]))


def _draft_gap(container: Container, size: tuple[int, int]) -> int:
    """How much larger than its rendition a JPEG is decoded: twice, which is finest, or at least once. Raises TooManyPixels."""
    for gap in (2, 1):
        memory = _memory(container, size, gap)
        if memory <= _MAX_MEMORY:
            return gap
    pixels = container.width * container.height
    raise TooManyPixels(container.width, container.height, limit=pixels * _MAX_MEMORY // memory)


def _memory(container: Container, size: tuple[int, int], gap: int) -> int:
    scale = _jpeg_scale(container, size, gap) if container.format == "JPEG" else 1
    decoding = container.width * container.height // scale**2 * container.pixel_bytes + container.fixed_bytes
    rendition = size[0] * size[1]
    work = max(decoding + rendition * _RENDITION_BYTES, rendition * _ENCODING_BYTES)
    return work + len(container.bare) * _FILE_COPIES[container.format]


def _jpeg_scale(container: Container, size: tuple[int, int], gap: int) -> int:
    """The divisor that Pillow's `draft` chooses."""
    room = min(container.width // (size[0] * gap), container.height // (size[1] * gap))
    return next(scale for scale in (8, 4, 2, 1) if room >= scale or scale == 1)


def _reduced(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture in this size and in a plain mode, made strip by strip: a second whole picture would be too much memory."""
    if picture.size == size:
        return _plain(picture)
    ratio = picture.height / size[1]
    rows = max(1, int(_STRIP_PIXELS / (picture.width * ratio)))
    reach = ceil(3 * max(1.0, ratio)) + 1  # what the filter looks at beyond a strip's edges
    reduced = Image.new(_plain(picture.crop((0, 0, 1, 1))).mode, size)
    for top in range(0, size[1], rows):
        height = min(rows, size[1] - top)
        first = max(0, floor(top * ratio) - reach)
        last = min(picture.height, ceil((top + height) * ratio) + reach)
        strip = _plain(picture.crop((0, first, picture.width, last)))
        box = (0, top * ratio - first, picture.width, (top + height) * ratio - first)
        reduced.paste(strip.resize((size[0], height), Image.Resampling.LANCZOS, box=box, reducing_gap=2.0), (0, top))
    return reduced


def _plain(picture: Image.Image) -> Image.Image:
    """The same in L, RGB, RGBA or CMYK."""
    if picture.mode.startswith("I"):
        return picture.point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode in ("LA", "PA") or "transparency" in picture.info:
        return picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "RGBA", "CMYK"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _in_srgb(picture: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """In RGB or RGBA. A profile that is broken, or about other colours than the picture has, is as good as none."""
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    if icc_profile:
        try:
            profile = ImageCms.ImageCmsProfile(BytesIO(icc_profile))
            converted = ImageCms.profileToProfile(picture, profile, ImageCms.createProfile("sRGB"), outputMode=mode)
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted:
            return converted
    return picture if picture.mode == mode else picture.convert(mode)


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB":
        return picture
    ground = Image.new("RGB", picture.size, _GROUND)
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def _encode(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "WEBP", quality=_QUALITY, method=_EFFORT)
    return out.getvalue()
