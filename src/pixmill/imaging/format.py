"""``Format``: what a file format can do, as data. Each codec's module declares one."""

import msgspec


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One file format.

    ``name`` is the word in recipes, ``label`` the word in messages. ``signature`` is a regular expression over the first
    bytes of a file, ``end`` what is near the last ones of a file that is whole. The facts under "as output" say what
    ``encode`` may be given: alpha or only opaque pixels, several frames, bits a channel, the longest side in pixels.
    ``extra`` names the extra without which neither way works.
    """

    name: str
    label: str
    extensions: tuple[str, ...]
    mime: str
    signature: bytes = b""
    end: bytes = b""
    extra: str = ""
    opt_in: bool = False  # read only where the recipe allows it by name
    streams: bool = False  # decoded row by row, unless a file says otherwise, so that it need not be held as a whole
    pages: str = "frames"  # what further pictures in a file are: frames of an animation, or pages
    # as output
    writable: bool = True
    alpha: bool = True
    animation: bool = False
    depths: tuple[int, ...] = (8,)
    max_side: int = 2**31 - 1

    @property
    def extension(self) -> str:
        """Return the extension that outputs get, without its dot; empty for what has none of its own."""
        return next(iter(self.extensions), "")
