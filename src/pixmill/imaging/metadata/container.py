"""``Container``: how the metadata of one file format are read and written, without a decoder."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from pixmill.imaging.input import Data
from pixmill.imaging.metadata.blocks import Blocks

Part = Literal["exif", "xmp", "iptc", "resources", "texts", "comments", "resolution"]


class Container(NamedTuple):
    """One file format.

    ``read`` returns the metadata of any file, whatever its bytes. ``write`` returns a file of our own encoder, which has no
    metadata but a profile, with blocks that the format ``holds``. ``max_exif`` is the most that it holds of EXIF, in bytes;
    ``max_xmp`` the most of XMP that it holds undivided. ``is_ycbcr``: colours are stored as luminance and centred chroma.
    ``omits``: tags of EXIF that the format does not allow.
    ``bare`` returns a file with nothing but what its pixels need; ``None`` if that is not known.
    """

    read: Callable[[Data], Blocks]
    write: Callable[[bytes, Blocks], bytes]
    bare: Callable[[bytes], bytes | None]
    holds: frozenset[Part]
    max_exif: int = 2**31
    max_xmp: int = 2**31
    is_ycbcr: bool = False
    omits: frozenset[int] = frozenset()


def unknown(data: bytes) -> None:
    """Return ``None``: for formats whose files cannot be reduced to their pixels."""
    del data
