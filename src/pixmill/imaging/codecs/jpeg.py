"""``jpeg``: photographs, everywhere."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from pixmill.imaging.backends import vips_load, vips_save
from pixmill.imaging.codec import Codec, DecodeOptions, Effort
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.parsers import jpeg

SHRINKS = (8, 4, 2)
CHROMA = {"auto": "auto", "4:2:0": "on", "4:4:4": "off"}
EFFORTS: dict[str, dict[str, bool]] = {
    "fast": {},
    "default": {"optimize_coding": True},
    "best": {
        "optimize_coding": True, "interlace": True, "trellis_quant": True, "overshoot_deringing": True, "optimize_scans": True,
    },
}  # fmt: skip


class Jpeg(Codec, frozen=True, kw_only=True, tag="jpeg"):
    """JPEG: lossy, without transparency, read by everything.

    Use it for photographs. Effort ``default`` optimises the Huffman tables; ``best`` makes a progressive file with trellis
    quantisation, about a tenth smaller at several times the time.

    Example: ``--format jpeg:quality=80,progressive=true``
    """

    format: ClassVar = Format(
        name="jpeg", label="JPEG", extensions=("jpg", "jpeg", "jpe", "jfif", "jif"), mime="image/jpeg",
        signature=rb"\xff\xd8\xff", end=b"\xff\xd9", alpha=False, max_side=65_500, streams=True,
    )  # fmt: skip

    quality: Annotated[int, Meta(ge=1, le=100, description="quality; 75 to 90 for the web")] = 85
    effort: Effort = "default"
    progressive: Annotated[bool, Meta(description="a file that shows coarsely first")] = False
    subsampling: Annotated[
        Literal["auto", "4:2:0", "4:4:4"], Meta(description="resolution of colour; auto halves it below quality 90")
    ] = "auto"

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return what the header says; counts the scans. libvips is asked only where the markers leave something to ask."""
        scan = jpeg.scan(source.chunks())
        jpeg.check(scan)
        if scan.is_plain and max(scan.width, scan.height) <= cls.format.max_side:
            return Header(
                format=cls.format,
                width=scan.width,
                height=scan.height,
                bands=scan.bands,
                scans=scan.scans,
                progressive=scan.progressive,
                metadata_size=scan.metadata_size,
            )
        header = vips_load.read_header(source, cls.format, "jpegload")
        size = max(header.metadata_size, scan.metadata_size)
        return vips_load.evolve(header, scans=scan.scans, progressive=scan.progressive, metadata_size=size)

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the picture, shrunk in the DCT so that at least a factor of two is left for the resize."""
        shrink = next((factor for factor in SHRINKS if options.shrink >= 2 * factor), 1)
        return vips_load.open_image(source, header, "jpegload", options, shrink=shrink)

    def encode(self, image: Image) -> bytes:
        """Return the file."""
        settings = {**EFFORTS[self.effort], **({"interlace": True} if self.progressive else {})}
        return vips_save.save(image, "jpegsave", Q=self.quality, subsample_mode=CHROMA[self.subsampling], **settings)
