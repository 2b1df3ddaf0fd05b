"""Check that a HEIF file contains all of its boxes, which its decoder does not check; and find out how its images are coded.

Sources: ISO/IEC 14496-12, sections 4.2 and 8.11.6; ISO/IEC 23008-12, 23001-17 and 15444-16 for the codings.
"""

import io
import re
from pathlib import Path
from typing import BinaryIO

from pixmill.imaging.input import Input

#: Boxes about items: version and flags, number (of 2 or 4 bytes), protection, and the type.
INFORMATION = re.compile(rb"infe[\x02\x03].{3}.{2}(?:.{2})?\0\0([a-z0-9]{4})", re.DOTALL)
CODINGS = {
    b"unci": "uncompressed samples", b"j2k1": "JPEG 2000", b"jpeg": "JPEG", b"av01": "AV1", b"vvc1": "VVC", b"evc1": "EVC",
    b"avc1": "AVC",
    b"lhv1": "layered HEVC", b"mski": "a mask",
}  # fmt: skip
BOX_HEADER_BYTES, LARGE_BOX_HEADER_BYTES = 8, 16
LARGE_SIZE = 1  # as a box size: the actual size follows, in 64 bits


def coding(head: bytes) -> str:
    """Return the name of a coding other than HEVC of an image in the file that begins with ``head``; empty if there is none."""
    kinds = INFORMATION.findall(head)
    return next((CODINGS[kind] for kind in kinds if kind in CODINGS), "")


def is_cut_off(source: Input) -> bool:
    """Return whether the last top-level box extends beyond the end of the file."""
    with io.BytesIO(source.data) if source.data is not None else Path(source.name).open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        offset = 0
        while 0 <= offset < size:
            length = _length(file, offset)
            if length < BOX_HEADER_BYTES:  # extends to the end, or invalid, which the decoder reports
                return False
            offset += length
        return offset > size


def _length(file: BinaryIO, offset: int) -> int:
    file.seek(offset)
    head = file.read(LARGE_BOX_HEADER_BYTES)
    length = int.from_bytes(head[:4])
    return int.from_bytes(head[BOX_HEADER_BYTES:]) if length == LARGE_SIZE and len(head) == LARGE_BOX_HEADER_BYTES else length
