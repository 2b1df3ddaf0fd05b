"""Check that a HEIF file contains all of its boxes, which its decoder does not check.

Source: ISO/IEC 14496-12, section 4.2.
"""

import io
from pathlib import Path
from typing import BinaryIO

from pixmill.imaging.input import Input

BOX_HEADER_BYTES, LARGE_BOX_HEADER_BYTES = 8, 16
LARGE_SIZE = 1  # as a box size: the actual size follows, in 64 bits


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
