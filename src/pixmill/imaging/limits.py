"""The limits that protect the machine from malicious or absurd files. All are checked before any pixel is decoded."""

from typing import Annotated

from msgspec import Meta

from pixmill.core.errors import LimitError
from pixmill.core.model import Model
from pixmill.core.units import ByteSize, Pixels
from pixmill.imaging.header import Header


class Limits(Model, frozen=True, kw_only=True):
    """Upper bounds on a source. Each error names the limit, the value, and the option that raises it."""

    max_pixels: Annotated[Pixels, Meta(description="pixels per image; kept animations count every frame")] = Pixels(100_000_000)
    max_side: Annotated[int, Meta(ge=1, description="pixels on the longest side")] = 65_500
    max_scans: Annotated[int, Meta(ge=1, description="scans of a progressive JPEG; each costs as much as a small image")] = 100
    max_frames: Annotated[int, Meta(ge=1, description="frames in an animation that is kept")] = 2_000
    max_metadata: Annotated[ByteSize, Meta(description="metadata per file: ICC profile, EXIF, XMP, IPTC")] = ByteSize(32_000_000)

    def check(self, header: Header, *, frames: int = 1) -> None:
        """Raise ``LimitError`` if an image with this header exceeds a limit when ``frames`` of it are decoded."""
        self._check_limit("side", "pixels on its longest side", max(header.width, header.height), self.max_side)
        self._check_limit("scans", "scans", header.scans, self.max_scans)
        self._check_limit("frames", "frames", frames, self.max_frames)
        self._check_limit("pixels", "pixels", header.pixels * frames, self.max_pixels)
        self._check_limit("metadata", "bytes of metadata", header.metadata_size, self.max_metadata)

    def _check_limit(self, name: str, unit: str, value: int, limit: int) -> None:
        if value > limit:
            message = f"the image has {value:,} {unit}; the limit is {limit:,}"
            raise LimitError(message, hint=f"raise it with --max-{name}", code=f"limit-{name}")
