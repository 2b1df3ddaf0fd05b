"""``Format``: the capabilities of a file format, as data. Each codec's module declares one."""

from functools import cache
from importlib.util import find_spec
from typing import Literal

import msgspec


@cache
def _is_installed(module: str) -> bool:
    return find_spec(module) is not None


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One file format.

    Recipes use ``name``, messages use ``label``. ``signature`` is a regular expression for the first bytes of a file; ``end``
    occurs near the end of every complete file. The fields under "as output" say which images ``encode`` accepts: alpha or
    only opaque pixels, several frames, bits per channel, the longest side, profiles. ``extra`` names the package extra
    that writing requires, and reading too unless ``reads_without_extra``; ``plugin`` is the module of the Pillow plugin, if
    one is used.
    """

    name: str
    label: str
    extensions: tuple[str, ...]
    mime: str
    signature: bytes = b""
    end: bytes = b""
    extra: str = ""
    plugin: str = ""
    reads_without_extra: bool = False
    opt_in: bool = False  # read only if the recipe allows it by name
    decoder_copies: int = 2  # how often a decoder that does not stream keeps all pixels, together with ours
    encoder_copies: int = 4  # how often an encoder keeps all pixels or as much, the file that it makes included
    file_copies: int = 4  # the same for pixels that are streamed, if ``streams``: of the file alone
    streams: bool = False  # decoded and encoded row by row (unless a file says otherwise), so the whole image need not be in memory
    library: str = ""  # that reads and writes the pixels
    lossy: bool = False  # files have lost detail, unless their header says otherwise
    pages: str = "frames"  # the name for further images in a file: frames of an animation, or pages
    # as output
    writable: bool = True
    alpha: bool = True
    animation: bool = False
    depths: tuple[int, ...] = (8,)
    max_side: int = 2**31 - 1
    profiles: tuple[bytes, ...] = (b"RGB ", b"GRAY")  # the colour spaces of ICC profiles that a file can carry

    def missing_extra(self, to: Literal["read", "write"]) -> str:
        """Return the extra that is not installed on this machine but needed to read or write the format; else empty."""
        is_needed = self.extra and not (to == "read" and self.reads_without_extra)
        return self.extra if is_needed and not _is_installed(self.plugin) else ""

    @property
    def extension(self) -> str:
        """Return the extension of outputs, without the dot; empty if the format has none of its own."""
        return next(iter(self.extensions), "")
