"""The limits that protect the machine from a hostile or absurd file. All are checked before a pixel is decoded."""

from typing import Annotated

from msgspec import Meta

from pixmill.core.errors import LimitError
from pixmill.core.model import Model
from pixmill.core.units import ByteSize, Pixels
from pixmill.imaging.header import Header


class Limits(Model, frozen=True, kw_only=True):
    """The most that a source may ask of the machine. Each error names the limit, the value, and the option that raises it."""

    max_pixels: Annotated[Pixels, Meta(description="largest picture; kept animations count every frame")] = Pixels(100_000_000)
    max_side: Annotated[int, Meta(ge=1, description="longest side in pixels")] = 65_500
    max_scans: Annotated[int, Meta(ge=1, description="passes of a progressive JPEG; each costs as much as a small image")] = 100
    max_frames: Annotated[int, Meta(ge=1, description="frames of an animation that is kept")] = 2_000
    max_metadata: Annotated[ByteSize, Meta(description="metadata in one file: profile, EXIF, XMP, IPTC")] = ByteSize(32_000_000)

    def check(self, header: Header, *, frames: int = 1) -> None:
        """Raise ``LimitError`` when a picture with this header, ``frames`` of it decoded, is beyond a limit."""
        self._hold("side", "pixels a side", max(header.width, header.height), self.max_side)
        self._hold("scans", "scans", header.scans, self.max_scans)
        self._hold("frames", "frames", frames, self.max_frames)
        self._hold("pixels", "pixels", header.pixels * frames, self.max_pixels)
        self._hold("metadata", "bytes of metadata", header.metadata_size, self.max_metadata)

    def _hold(self, name: str, unit: str, value: int, limit: int) -> None:
        if value > limit:
            message = f"the picture has {value:,} {unit}, the limit is {limit:,}"
            raise LimitError(message, hint=f"raise it with --max-{name}", code=f"limit-{name}")
