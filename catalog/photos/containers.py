"""Reads the containers of pictures: how large a picture is, and what decoding it costs, before a byte of it is decoded.

Decoders also get no more of a file than they need. Metadata (Exif, XMP, comments, text, other frames) is left out, because
parsing it is where small files turn into gigabytes, and because nothing of it may reach a shopper.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.photos.refusals import DamagedImage, NotAnImage

_UPRIGHT = 1
_ORIENTATIONS = range(1, 9)
_EXIF = b"Exif\0\0"
_ORIENTATION_TAG = 0x0112
_MAX_EXIF_ENTRIES = 200
_MAX_PARTS = 20_000
"""Segments or chunks of a file; an honest one has a few, or a few thousand where the pixels come in small pieces."""
_MAX_SCANS = 32
"""Scans of a progressive JPEG; encoders write about ten, and every one costs a walk over all pixels."""

# The markers of JPEG, https://www.w3.org/Graphics/JPEG/itu-t81.pdf table B.1
_EOI, _SOS, _DRI, _DQT, _DHT = 0xD9, 0xDA, 0xDD, 0xDB, 0xC4
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_PROGRESSIVE = 0xC2
_FRAMES = (0xC0, 0xC1, _PROGRESSIVE)
_OTHER_FRAMES = (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
"""Lossless, hierarchical and arithmetic JPEG, which no browser shows."""
_JPEG_NEEDED = (*_FRAMES, _SOS, _DRI, _DQT, _DHT, _APP0, _APP14)
_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_AFTER_PIXELS = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""Between pixels 0xFF is followed by 0 or by a restart marker; anything else ends them."""
_BLOCK_BYTES = 128
"""What libjpeg keeps for 8 x 8 samples while it waits for a further scan."""
_BITS = 8

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"IDAT", b"IEND")
_PNG_GREY, _PNG_PALETTE = 0, 3
_WEBP_PIXEL_BYTES = 16
"""Pillow's decoder holds two canvases, a copy and the picture, four bytes each."""


@dataclass(frozen=True)
class Container:
    """What a file says of the picture in it."""

    format: str
    width: int
    height: int
    bare: bytes
    """The file with no more than the pixels and their colour profile."""
    pixel_bytes: int
    """Memory a decoded pixel takes at its worst."""
    fixed_bytes: int = 0
    """Memory decoding takes on top, at whatever scale."""
    orientation: int = _UPRIGHT
    """As Exif counts: 1 to 8."""

    @property
    def stands_on_its_side(self) -> bool:
        """Whether width and height change places once the picture is upright."""
        return self.orientation >= 5  # noqa: PLR2004 - 5 to 8 are the four quarter turns


def read_container(data: bytes) -> Container:
    """Judge a file by its bytes alone. Raises NotAnImage, DamagedImage."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(_PNG_START):
            return _png(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError) as error:
        raise DamagedImage from error
    raise NotAnImage


def _jpeg(data: bytes) -> Container:
    frame: _Frame | None = None
    orientation = _UPRIGHT
    kept: list[memoryview] = [memoryview(data)[:2]]
    scans = waiting_bytes = 0
    for marker, body, whole in _segments(data):
        if marker in _OTHER_FRAMES or (marker in _FRAMES and frame):
            raise DamagedImage
        if marker in _FRAMES:
            frame = _frame(body, is_progressive=marker == _PROGRESSIVE)
        elif marker == _SOS:
            scans += 1
            if not frame or scans > _MAX_SCANS:
                raise DamagedImage
            # All of the picture is kept until its last scan, unless each scan carries every component to its end.
            if frame.is_progressive or body[0] < frame.components:
                waiting_bytes = frame.waiting_bytes
        elif marker == _APP1 and bytes(body[:6]) == _EXIF:
            orientation = _orientation(bytes(body))
        if marker in _JPEG_NEEDED or marker == _EOI or (marker == _APP2 and bytes(body[:12]) == b"ICC_PROFILE\0"):
            kept.append(whole)
    if not frame:
        raise DamagedImage
    return Container(
        "JPEG",
        frame.width,
        frame.height,
        b"".join(kept),
        pixel_bytes=1 if frame.components == 1 else 4,
        fixed_bytes=waiting_bytes,
        orientation=orientation,
    )


def _segments(data: bytes) -> Iterator[tuple[int, memoryview, memoryview]]:
    """The segments up to the end of the picture, each as marker, content and whole; a scan's whole includes its pixels."""
    view = memoryview(data)
    position = 2
    for _ in range(_MAX_PARTS):
        found = _MARKER.search(data, position)
        if not found:
            return
        start = found.start()
        marker = data[start + 1]
        if marker == _EOI:
            yield marker, view[:0], view[start : start + 2]
            return
        (length,) = struct.unpack_from(">H", data, start + 2)
        content_end = position = start + 2 + length
        if marker == _SOS:
            after = _AFTER_PIXELS.search(data, content_end)
            position = after.start() if after else len(data)
        yield marker, view[start + 4 : content_end], view[start:position]
    raise DamagedImage


@dataclass(frozen=True)
class _Frame:
    width: int
    height: int
    components: int
    waiting_bytes: int
    is_progressive: bool


def _frame(body: memoryview, *, is_progressive: bool) -> _Frame:
    bits, height, width, components = struct.unpack_from(">BHHB", body)
    samplings = [divmod(body[6 + 3 * number + 1], 16) for number in range(components)]
    if bits != _BITS or not (width and height and samplings and all(across and down for across, down in samplings)):
        raise DamagedImage
    most_across = max(across for across, _ in samplings)
    most_down = max(down for _, down in samplings)
    blocks = sum(
        (width * across // (8 * most_across) + across) * (height * down // (8 * most_down) + down) for across, down in samplings
    )
    return _Frame(width, height, components, blocks * _BLOCK_BYTES, is_progressive)


def _png(data: bytes) -> Container:
    view = memoryview(data)
    kept: list[memoryview] = [view[: len(_PNG_START)]]
    orientation = _UPRIGHT
    position = len(_PNG_START)
    for _ in range(_MAX_PARTS):
        if position >= len(data):
            break
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if name in _PNG_NEEDED:
            kept.append(view[position:end])
        elif name == b"eXIf":
            orientation = _orientation(data[position + 8 : end - 4])
        if name == b"IEND":
            break
        position = end
    else:
        raise DamagedImage
    name, width, height, _, colour_type = struct.unpack_from(">4sIIBB", data, len(_PNG_START) + 4)
    if name != b"IHDR" or not width or not height:
        raise DamagedImage
    # Grey may come in 16 bits, which take two bytes; what is neither grey nor palette always takes four.
    pixel_bytes = {_PNG_GREY: 2, _PNG_PALETTE: 1}.get(colour_type, 4)
    return Container("PNG", width, height, b"".join(kept), pixel_bytes, orientation=orientation)


def _webp(data: bytes) -> Container:
    orientation = _UPRIGHT
    position = 12
    for _ in range(_MAX_PARTS):
        if position + 8 > len(data):
            break
        name, length = struct.unpack_from("<4sI", data, position)
        if name == b"EXIF":
            orientation = _orientation(data[position + 8 : position + 8 + length])
        position += 8 + length + length % 2
    else:
        raise DamagedImage
    width, height = _webp_size(data)
    return Container("WEBP", width, height, data, _WEBP_PIXEL_BYTES, orientation=orientation)


def _webp_size(data: bytes) -> tuple[int, int]:
    """As https://developers.google.com/speed/webp/docs/riff_container and the two bitstreams' descriptions have it."""
    name = data[12:16]
    if name == b"VP8X":
        across, down = struct.unpack("<II", data[24:27] + b"\0" + data[27:30] + b"\0")
        return across + 1, down + 1
    if name == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if name == b"VP8 ":
        across, down = struct.unpack_from("<HH", data, 26)
        return across & 0x3FFF, down & 0x3FFF
    raise DamagedImage


def _orientation(exif: bytes) -> int:
    """The one entry of Exif that matters here; 1 where it is missing or nonsense."""
    exif = exif.removeprefix(_EXIF)
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if not order:
        return _UPRIGHT
    try:
        (directory,) = struct.unpack_from(f"{order}4xI", exif)
        (count,) = struct.unpack_from(f"{order}H", exif, directory)
        for number in range(min(count, _MAX_EXIF_ENTRIES)):
            tag, value = struct.unpack_from(f"{order}H6xH", exif, directory + 2 + 12 * number)
            if tag == _ORIENTATION_TAG:
                return int(value) if value in _ORIENTATIONS else _UPRIGHT
    except struct.error:
        return _UPRIGHT
    return _UPRIGHT
