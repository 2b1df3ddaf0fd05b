"""Read the header of JPEG 2000: the boxes of a JP2 file, and the marker SIZ of its codestream.

Source: ISO/IEC 15444-1, annexes A.5.1 and I; ISO/IEC 15444-2, annex M, for boxes of JPX.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from mmap import mmap
from typing import NamedTuple

from pixmill.imaging.parsers.boxes import HEAD_BYTES, Box, boxes

Data = bytes | mmap
START, END, CODESTREAM, SIZ = b"\xff\x4f", b"\xff\xd9", b"jp2c", struct.Struct(">2x2sHH8IH")
MAX_BOXES, MAX_COMPONENTS, MAX_TILES = 256, 4, 65_535  # the last is the standard's
RESTRICTED, ANY_PROFILE, ENUMERATED = 2, 3, 1  # methods of stating colours
CMYK, GRAY, SYCC = 12, 17, 18  # enumerated colour spaces
OPACITY, PREMULTIPLIED = 1, 2
EXIF_UUID, XMP_UUID = b"JpgTiffExif->JP2", bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
UUID_BYTES = 16


class Jpeg2000(NamedTuple):
    """What a file says about its image.

    ``depth`` is the largest number of bits of a component. ``space`` is the number of an enumerated colour space; ``opacity`` the
    meaning of the last of two or four components, if it is stated: 1 or 2 for opacity; -1 if it is not stated.
    """

    width: int
    height: int
    components: int
    depth: int
    space: int = 0
    profile: bytes = b""
    palette: tuple[int, int] = (0, 0)  # entries, and channels of each
    opacity: int = -1
    exif: bytes = b""
    xmp: bytes = b""


def read(data: Data) -> Jpeg2000:
    """Return the header of the file ``data``. Raise ``ValueError`` if it is damaged or states the impossible."""
    if data[:2] == START:
        return _codestream(data, 0)
    found = list(islice(boxes(data, 0, len(data)), MAX_BOXES))
    code = next((box.content for box in found if box.kind == CODESTREAM), _incomplete(data, found))
    if code is None:
        raise ValueError("it has no codestream")
    image = _codestream(data, code)
    for box in found:
        if box.kind == b"jp2h":
            image = _with_header(image, data, list(islice(boxes(data, box.content, box.end), MAX_BOXES)))
        elif box.kind == b"uuid":
            image = _with_metadata(image, data, box)
    return image


def _incomplete(data: Data, found: list[Box]) -> int | None:
    """Return where the codestream of a truncated file begins, whose box is longer than the rest of the file."""
    end = found[-1].end if found else len(data)
    return end + HEAD_BYTES if data[end + 4 : end + HEAD_BYTES] == CODESTREAM else None


def is_complete(data: Data) -> bool:
    """Return whether the codestream ends within the file ``data``."""
    found = list(islice(boxes(data, 0, len(data)), MAX_BOXES)) if data[:2] != START else ()
    end = next((box.end for box in found if box.kind == CODESTREAM), len(data))
    return data[end - 2 : end] == END


def _codestream(data: Data, start: int) -> Jpeg2000:
    """Return what the marker SIZ says: the decoder goes by this, whatever the boxes say."""
    if start + SIZ.size > len(data) or data[start : start + 4] != START + b"\xff\x51":
        raise ValueError("its codestream does not begin with its size")
    _, _, _, right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, components = SIZ.unpack_from(data, start)
    width, height = right - left, bottom - top
    if min(width, height) < 1 or not tile_width or not tile_height or tile_left > left or tile_top > top:
        raise ValueError("its size is impossible")
    if -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height) > MAX_TILES:
        raise ValueError("it has too many tiles")
    if not 0 < components <= MAX_COMPONENTS:
        raise ValueError(f"not supported: {components} channels")
    depths = data[start + SIZ.size : start + SIZ.size + 3 * components : 3]
    if len(depths) < components:
        raise ValueError("its size is incomplete")
    return Jpeg2000(width, height, components, max(bits & 0x7F for bits in depths) + 1)


def _with_header(image: Jpeg2000, data: Data, found: list[Box]) -> Jpeg2000:
    """Return ``image`` with what the boxes of the JP2 header say. Raise ``ValueError`` if they contradict the codestream."""
    for kind, content in _contents(data, found):
        if kind == b"ihdr" and len(content) >= 10:  # noqa: PLR2004  # height, width, components
            if struct.unpack_from(">IIH", content) != (image.height, image.width, image.components):
                raise ValueError("its header and its codestream state different sizes")
        elif kind == b"colr" and not image.space and not image.profile:
            image = _with_colours(image, content)
        elif kind == b"pclr" and len(content) >= 3:  # noqa: PLR2004  # entries, channels
            image = image._replace(palette=struct.unpack_from(">HB", content))
        elif kind == b"cdef":
            image = image._replace(opacity=_opacity(content, image.components))
    return image


def _contents(data: Data, found: list[Box]) -> Iterator[tuple[bytes, bytes]]:
    for box in found:
        yield box.kind, bytes(data[box.content : box.end])


def _with_colours(image: Jpeg2000, content: bytes) -> Jpeg2000:
    method = content[0] if content else 0
    if method == ENUMERATED:
        return image._replace(space=int.from_bytes(content[3:7]))
    return image._replace(profile=content[3:]) if method in (RESTRICTED, ANY_PROFILE) else image


def _opacity(content: bytes, components: int) -> int:
    """Return the meaning of the last component: 0 if it is not opacity."""
    entries = (struct.unpack_from(">3H", content, 2 + 6 * index) for index in range((len(content) - 2) // 6))
    return next((kind if kind in (OPACITY, PREMULTIPLIED) else 0 for channel, kind, _ in entries if channel == components - 1), -1)


def _with_metadata(image: Jpeg2000, data: Data, box: Box) -> Jpeg2000:
    name = bytes(data[box.content : box.content + UUID_BYTES])
    if name == EXIF_UUID:
        return image._replace(exif=image.exif or bytes(data[box.content + UUID_BYTES : box.end]).removeprefix(b"Exif\0\0"))
    return image._replace(xmp=image.xmp or bytes(data[box.content + UUID_BYTES : box.end])) if name == XMP_UUID else image
