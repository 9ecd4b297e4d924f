"""Pictures for the tests of photographs: honest ones in every mode, and hostile ones of every kind we know."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

from PIL import Image, ImageCms, ImageDraw

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(document.domain)</script></svg>'
HTML = b"<!doctype html><script>alert(document.domain)</script>"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE = 0, 2, 3


def picture(width: int = 1500, height: int = 1000, mode: str = "RGB") -> Image.Image:
    """A left half in brick and a right half in green, with a white spot at the top left."""
    drawn = Image.new("RGB", (width, height), (40, 120, 60))
    draw = ImageDraw.Draw(drawn)
    draw.rectangle((0, 0, max(0, width // 2 - 1), height), fill=(180, 60, 40))
    draw.rectangle((0, 0, width // 10, height // 10), fill=(255, 255, 255))
    return drawn if mode == "RGB" else drawn.convert(mode, palette=Image.Palette.ADAPTIVE)


def as_bytes(drawn: Image.Image, kind: str = "JPEG", **how: Any) -> bytes:
    out = io.BytesIO()
    drawn.save(out, kind, **how)
    return out.getvalue()


def jpeg(**how: Any) -> bytes:
    return as_bytes(picture(), "JPEG", quality=90, **how)


def with_exif(orientation: int = 1) -> bytes:
    """A JPEG that tells where it was taken, by whom and with what."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Secret Camera Works"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 17.0)})
    return jpeg(exif=exif, comment=b"secret comment", xmp=b"<x:xmpmeta>secret xmp</x:xmpmeta>")


def with_profile(profile: bytes, mode: str = "RGB", kind: str = "JPEG") -> bytes:
    return as_bytes(picture(mode=mode), kind, icc_profile=profile)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def with_zip_behind() -> bytes:
    """Both a JPEG and a Java archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("Evil.class", b"\xca\xfe\xba\xbe" + b"payload" * 50)
    return jpeg() + archive.getvalue()


def png(width: int, height: int, *, colour: int = _GREY, bits: int = 8, extra: bytes = b"", surplus: int = 0) -> bytes:
    """A PNG of zeros, made without ever holding its pixels; `surplus` bytes more are packed into it than it has."""
    bits_a_pixel = bits * (3 if colour == _RGB else 1)
    row = bytes(1 + (width * bits_a_pixel + 7) // 8)
    packer = zlib.compressobj(9)
    packed = [packer.compress(row * min(100, height - top)) for top in range(0, height, 100)]
    packed += [packer.compress(bytes(min(1 << 20, surplus - done))) for done in range(0, surplus, 1 << 20)]
    packed.append(packer.flush())
    palette = chunk(b"PLTE", bytes(range(48))) if colour == _PALETTE else b""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return _PNG_START + header + palette + extra + chunk(b"IDAT", b"".join(packed)) + chunk(b"IEND", b"")


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def inflating_text() -> bytes:
    return chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000)))


def inflating_profile() -> bytes:
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(200_000_000)))


def greedy_exif(size: int = 4_000_000) -> bytes:
    """Exif in which 20,000 entries each claim all of the file as their content."""
    entries = b"".join(struct.pack("<HHII", tag, 1, size - 8, 8) for tag in range(0x8000, 0x8000 + 20_000))
    directory = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 20_000) + entries
    return directory + bytes(size - len(directory))


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2) for name, content in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_canvas(width: int, height: int) -> bytes:
    """The head of an extended WebP of this size, and no picture in it."""
    return riff((b"VP8X", b"\0\0\0\0" + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]))


def webp_with_exif(exif: bytes) -> bytes:
    plain = as_bytes(picture(), "WEBP")
    head = b"\x08\0\0\0" + struct.pack("<I", 1499)[:3] + struct.pack("<I", 999)[:3]
    return riff((b"VP8X", head), (plain[12:16], plain[20:]), (b"EXIF", exif))


def animated(kind: str) -> bytes:
    """Three pictures in turn, the first brick red all over."""
    frames = [Image.new("RGB", (400, 300), colour) for colour in ((180, 60, 40), (0, 0, 255), (0, 255, 0))]
    return as_bytes(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def with_many_scans(scans: int = 5_000) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = as_bytes(picture(2000, 2000), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + b"\xff\xd9"


def with_many_chunks(chunks: int = 20_001) -> bytes:
    """A WebP with so many chunks that mean nothing behind its picture."""
    plain = as_bytes(picture(), "WEBP")
    return riff((plain[12:16], plain[20:]), *[(b"NONE", b"")] * chunks)


def large_jpeg(**how: Any) -> bytes:
    """39.9 megapixels, as a good camera takes them."""
    return as_bytes(picture(7300, 5470), "JPEG", **how)


def random_bytes(count: int = 100_000) -> bytes:
    return random.Random(7).randbytes(count)


def _small(kind: str) -> Callable[[], bytes]:
    return lambda: as_bytes(picture(40, 30), kind)


_REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    **{f"a {kind}": (_small(kind), "NotAnImage") for kind in ("GIF", "TIFF", "BMP", "ICO", "PDF", "PPM", "JPEG2000", "AVIF")},
    "20,000 x 20,000 PNG": (lambda: png(20_000, 20_000, bits=1), "TooManyPixels"),
    "39.7 megapixels of RGB PNG": (lambda: png(6_300, 6_300, colour=_RGB), "TooManyPixels"),
    "12,001 pixels across": (lambda: png(12_001, 1), "TooManyPixels"),
    "12,001 pixels down": (lambda: png(1, 12_001), "TooManyPixels"),
    "16,383 x 16,383 WebP": (lambda: webp_canvas(16_383, 16_383), "TooManyPixels"),
    "10 megapixels of one colour in lossless WebP": (
        lambda: as_bytes(Image.new("RGB", (3200, 3200)), "WEBP", lossless=True, method=0),
        "TooManyPixels",
    ),
    "39.9 megapixels of progressive JPEG": (lambda: large_jpeg(progressive=True), "TooManyPixels"),
    "39.9 megapixels of progressive 4:4:4 JPEG": (lambda: large_jpeg(progressive=True, subsampling=0), "TooManyPixels"),
    "a JPEG of no components": (lambda: b"\xff\xd8\xff\xc0\0\x08\x08\0\x10\0\x10\0\xff\xda\0\x02\xff\xd9", "DamagedImage"),
    "a JPEG of 5,000 scans": (with_many_scans, "DamagedImage"),
    "a JPEG of 3.7 million segments": (lambda: b"\xff\xd8" + b"\xff\xe1\0\2" * 3_700_000, "DamagedImage"),
    "a PNG of 1.2 million chunks": (lambda: png(1, 1, extra=chunk(b"teXt", b"") * 1_200_000), "DamagedImage"),
    "an SVG with a script": (lambda: SVG, "NotAnImage"),
    "an SVG behind the start of a PNG": (lambda: _PNG_START + SVG, "DamagedImage"),
    "an HTML page": (lambda: HTML, "NotAnImage"),
    "an HTML page behind the start of a JPEG": (lambda: b"\xff\xd8\xff" + HTML, "DamagedImage"),
    "a truncated JPEG": (lambda: jpeg()[:-3000], "DamagedImage"),
    "a JPEG's head": (lambda: jpeg()[:200], "DamagedImage"),
    "a truncated PNG": (lambda: as_bytes(picture(), "PNG")[:-300], "DamagedImage"),
    "a truncated WebP": (lambda: as_bytes(picture(), "WEBP")[:-300], "DamagedImage"),
    "a WebP of 20,001 chunks": (with_many_chunks, "DamagedImage"),
    "a WebP's head": (lambda: webp_canvas(400, 300), "DamagedImage"),
    "nothing": (lambda: b"", "NotAnImage"),
    "random bytes": (random_bytes, "NotAnImage"),
    "random bytes behind the start of a JPEG": (lambda: jpeg()[:700] + random_bytes(), "DamagedImage"),
}
REFUSED = {name: refusal for name, (_, refusal) in _REFUSED.items()}
"""Files that must not be taken, by name, each with the name of its refusal."""

_TAKEN: dict[str, Callable[[], bytes]] = {
    "1 x 1": lambda: as_bytes(picture(1, 1), "PNG"),
    "12,000 x 1": lambda: png(12_000, 1),
    "1 x 12,000": lambda: png(1, 12_000),
    "1,200 x 8,000 one can see through, with a profile": lambda: as_bytes(
        Image.new("RGBA", (1200, 8000), (9, 9, 9, 99)), "PNG", icc_profile=srgb_profile()
    ),
    "39.9 megapixels of JPEG": large_jpeg,
    "39.9 megapixels of grey JPEG": lambda: as_bytes(picture(7300, 5470, "L"), "JPEG"),
    "36 megapixels of progressive JPEG": lambda: as_bytes(picture(7200, 5000), "JPEG", progressive=True),
    "39.7 megapixels of palette PNG": lambda: png(6_300, 6_300, colour=_PALETTE),
    "27 megapixels of RGB PNG": lambda: png(5_200, 5_200, colour=_RGB),
    "16 megapixels of PNG one can see through": lambda: as_bytes(Image.new("RGBA", (4000, 4000), (9, 9, 9, 99)), "PNG"),
    "7.6 megapixels of WebP": lambda: as_bytes(picture(2750, 2750), "WEBP", method=0),
    "a PNG of 100 x 100 that inflates to 300 MB": lambda: png(100, 100, surplus=300_000_000),
    "a PNG whose text inflates to 200 MB": lambda: png(100, 100, extra=inflating_text()),
    "greedy Exif in a PNG": lambda: png(100, 100, extra=chunk(b"eXIf", greedy_exif())),
    "greedy Exif in a WebP": lambda: webp_with_exif(greedy_exif(14_000_000)),
    "a JPEG with a zip behind it": with_zip_behind,
    "a JPEG with a page in its comment": lambda: jpeg(comment=HTML) + HTML,
    "a JPEG that says where it was taken": with_exif,
}
TAKEN = tuple(_TAKEN)
"""The names of files that hide something, or ask for much, and become harmless photographs."""


@cache
def file(name: str) -> bytes:
    """One of REFUSED or TAKEN; made when it is first asked for, since some take a second."""
    build = _REFUSED[name][0] if name in _REFUSED else _TAKEN[name]
    return build()
