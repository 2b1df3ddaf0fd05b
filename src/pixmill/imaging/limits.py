"""The limits that protect the machine from malicious or absurd files. All are checked before any pixel is decoded."""

from typing import Annotated

from msgspec import Meta

from pixmill.core.errors import LimitError
from pixmill.core.model import Model
from pixmill.core.remedy import rounded_up
from pixmill.core.units import ByteSize, Pixels
from pixmill.imaging.header import Header


class Limits(Model, frozen=True, kw_only=True):
    """Upper bounds on a source. Each error names the limit, the value, and the option that raises it."""

    max_pixels: Annotated[
        Pixels, Meta(description="pixels per image; kept animations count every frame", extra={"prevents": ("limit-pixels",)})
    ] = Pixels(100_000_000)
    max_side: Annotated[int, Meta(ge=1, description="pixels on the longest side", extra={"prevents": ("limit-side",)})] = 65_500
    max_scans: Annotated[
        int,
        Meta(
            ge=1,
            description="scans of a progressive JPEG; each costs as much as a small image",
            extra={"prevents": ("limit-scans",)},
        ),
    ] = 100
    max_frames: Annotated[
        int, Meta(ge=1, description="frames in an animation that is kept", extra={"prevents": ("limit-frames",)})
    ] = 2_000
    max_metadata: Annotated[
        ByteSize,
        Meta(
            description="metadata per file: ICC profile, EXIF, XMP, IPTC, unpacked texts of a PNG, directories of a TIFF",
            extra={"prevents": ("limit-metadata",)},
        ),
    ] = ByteSize(32_000_000)

    def check(self, header: Header, *, frames: int = 1) -> None:
        """Raise ``LimitError`` if an image with this header exceeds limits when ``frames`` of it are decoded.

        The error has the code of the first of them, and names the options that raise them all.
        """
        measured = (
            ("side", "pixels on its longest side", max(header.width, header.height)),
            ("scans", "scans", header.scans),
            ("frames", "frames", frames),
            ("pixels", "pixels", header.pixels * frames),
            ("metadata", "bytes of metadata", header.metadata_size),
        )
        exceeded = [(name, unit, value) for name, unit, value in measured if value > getattr(self, f"max_{name}")]
        if exceeded:
            parts = (f"{value:,} {unit}; the limit is {getattr(self, f'max_{name}'):,d}" for name, unit, value in exceeded)
            options = {f"max_{name}": self._option_value(f"max_{name}", value) for name, _, value in exceeded}
            raise LimitError(f"the image has {'; and '.join(parts)}", code=f"limit-{exceeded[0][0]}", options=options)

    def _option_value(self, name: str, value: int) -> int | str:
        """Return ``value`` as a value of the option ``name``; in units it is rounded up."""
        kind = type(getattr(self, name))
        return value if kind is int else str(kind(rounded_up(value)))
