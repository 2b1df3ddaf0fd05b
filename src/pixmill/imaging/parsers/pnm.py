"""Read the header of PNM: PBM, PGM and PPM (plain or binary), PAM, and PFM.

Source: the manual pages of Netpbm, pbm(5), pgm(5), ppm(5), pam(5) and pfm(5).
"""

import re
from typing import NamedTuple

MAX_VALUE, MAX_BYTE = 65_535, 255
GRAY, GRAY_ALPHA, RGB, RGB_ALPHA = range(1, 5)  # bands
BANDS = {b"1": GRAY, b"2": GRAY, b"3": RGB, b"4": GRAY, b"5": GRAY, b"6": RGB, b"f": GRAY, b"F": RGB}
BITMAPS, PLAIN, FLOATS, PAM = b"14", b"123", b"fF", b"7"
#: Numbers are at most ten digits, and between two of them there is white space or a comment.
_GAP, _NUMBER = rb"(?:[ \t\n\v\f\r]|#[^\n\r]*[\n\r])+", rb"(\d{1,10})"
_SIZE = re.compile(rb"P[1-6fF]" + _GAP + _NUMBER + _GAP + _NUMBER)
_MAXIMUM = re.compile(_GAP + _NUMBER)
_SCALE = re.compile(rb"\s+([-+]?[\d.]{1,20}(?:[eE][-+]?\d{1,3})?)")
_PAM = re.compile(rb"P7\n((?:[^\n]{0,255}\n){0,40}?)ENDHDR[ \t]*\n")
_PAM_LINE = re.compile(rb"(WIDTH|HEIGHT|DEPTH|MAXVAL|TUPLTYPE)[ \t]+(\S{1,40})\s*")
#: The kinds of PAM, by the bands that they have.
TUPLES = {
    b"BLACKANDWHITE": GRAY, b"GRAYSCALE": GRAY, b"RGB": RGB,
    b"BLACKANDWHITE_ALPHA": GRAY_ALPHA, b"GRAYSCALE_ALPHA": GRAY_ALPHA, b"RGB_ALPHA": RGB_ALPHA,
}  # fmt: skip


class Pnm(NamedTuple):
    """What the header says: the digit or letter of the ``kind``, the highest value of a sample, and where the pixels begin.

    Numbers of a PFM are ``is_little`` endian or not.
    """

    kind: bytes
    width: int
    height: int
    bands: int
    maximum: int
    start: int
    is_little: bool = False

    @property
    def sample_bytes(self) -> int:
        """Return the size of a sample in a binary file, except a bitmap."""
        return 4 if self.kind in FLOATS else 2 if self.maximum > MAX_BYTE else 1


def read(head: bytes) -> Pnm:
    """Return the header of the file that begins with ``head``. Raise ``ValueError`` if it is none."""
    if head[1:2] == PAM:
        return _read_pam(head)
    size = _SIZE.match(head)
    if size is None:
        raise ValueError("its header is damaged")
    kind, width, height = head[1:2], int(size[1]), int(size[2])
    if kind in FLOATS:
        scale = _SCALE.match(head, size.end())
        if scale is None or float(scale[1]) == 0:
            raise ValueError("its header states no scale")
        return Pnm(kind, width, height, BANDS[kind], MAX_VALUE, scale.end() + 1, is_little=float(scale[1]) < 0)
    if kind in BITMAPS:
        return Pnm(kind, width, height, GRAY, 1, size.end() + 1)
    maximum = _MAXIMUM.match(head, size.end())
    if maximum is None or not 0 < int(maximum[1]) <= MAX_VALUE:
        raise ValueError("its header states no highest value from 1 to 65535")
    return Pnm(kind, width, height, BANDS[kind], int(maximum[1]), maximum.end() + 1)


def _read_pam(head: bytes) -> Pnm:
    found = _PAM.match(head)
    matches = filter(None, map(_PAM_LINE.fullmatch, found[1].split(b"\n") if found else ()))
    lines: dict[bytes, bytes] = {match[1]: match[2] for match in matches}
    try:
        width, height, depth, maximum = (int(lines[name]) for name in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
    except (KeyError, ValueError):
        raise ValueError("its header is damaged") from None
    bands = TUPLES.get(lines.get(b"TUPLTYPE", b""), depth if b"TUPLTYPE" not in lines else 0)
    if bands != depth or bands not in TUPLES.values():
        kind = lines.get(b"TUPLTYPE", b"no type").decode("ascii", "replace")
        raise ValueError(f"not supported: {kind} with {depth} channels")
    if found is None or not 0 < maximum <= MAX_VALUE:
        raise ValueError("its header states no highest value from 1 to 65535")
    return Pnm(PAM, width, height, bands, maximum, found.end())
