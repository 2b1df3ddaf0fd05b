"""The boxes that a HEIF file is made of: does the file reach as far as they say? Its decoder does not look.

Source: ISO/IEC 14496-12, section 4.2.
"""

import io
from pathlib import Path
from typing import BinaryIO

from pixmill.imaging.input import Input

HEAD, LONG_HEAD = 8, 16
LONG = 1  # in place of a length: it follows, in 64 bits


def is_cut_off(source: Input) -> bool:
    """Tell whether the last box at the top of the file ends after the file does."""
    with io.BytesIO(source.data) if source.data is not None else Path(source.name).open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        place = 0
        while 0 <= place < size:
            length = _length(file, place)
            if length < HEAD:  # to the end, or nonsense, which is for the decoder to tell
                return False
            place += length
        return place > size


def _length(file: BinaryIO, place: int) -> int:
    file.seek(place)
    head = file.read(LONG_HEAD)
    length = int.from_bytes(head[:4])
    return int.from_bytes(head[HEAD:]) if length == LONG and len(head) == LONG_HEAD else length
