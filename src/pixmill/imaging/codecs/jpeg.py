"""``jpeg``: photographs that every program can read."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import pyvips
from msgspec import Meta

from pixmill.imaging.backends import vips_load, vips_save
from pixmill.imaging.backends.vips_load import Setting
from pixmill.imaging.codec import Codec, DecodeOptions, Effort, interpolated
from pixmill.imaging.colour.stated import Statements, with_stated_colours
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.containers import jpeg as jpeg_metadata
from pixmill.imaging.metadata.fields import PROFILE, field
from pixmill.imaging.parsers import jpeg, jpeg_segments

#: The start of the image and a marker; or, after some bytes that belong to nothing, one that begins a segment.
SIGNATURE = rb"\xff\xd8(?:\xff|.{1,1024}?\xff[\xc0-\xc2\xc4\xdb\xdd\xe0-\xef\xfe]\0)"
SHRINKS = (8, 4, 2)
MAX_SHIFT = 0.03  # of the centre by shrinking on load, in output pixels: libvips cuts off what is no whole pixel
COLOURS = 3  # channels of a file that has chroma
FULL_CHROMA_MIN_QUALITY = 90  # from this quality on, ``auto`` does not halve the resolution of chroma, as in libvips
CHROMA = {"4:2:0": "on", "4:4:4": "off"}
#: How many of the qualities from 1 on are searched with halved chroma, and how many are not with whole chroma.
HALVED_QUALITIES, WHOLE_QUALITIES = 89, 83
#: As ``scores``, with whole chroma.
WHOLE_SCORES = {25: 44, 55: 68, 72: 76, 84: 84, 90: 88, 92: 89.7, 95: 92}
#: By the factors of luma; 4:2:2 and others are not written.
SUBSAMPLING, UNKNOWN = {(2, 2): "4:2:0", (1, 1): "4:4:4"}, (0, 0)
#: The entries of EXIF, as libvips presents them, by which DCF option files declare Adobe RGB.
ADOBE_RGB_INDEX, UNCALIBRATED = "R03", "65535"
EFFORTS: dict[str, dict[str, bool]] = {
    "fast": {},
    "default": {"optimize_coding": True},
    "best": {
        "optimize_coding": True, "interlace": True, "trellis_quant": True, "overshoot_deringing": True, "optimize_scans": True,
    },
}  # fmt: skip
#: By what the file holds: the quantisation table, by its number in mozjpeg, with which trellis quantisation needs the fewest bytes,
#: and the quality for the encoder, by the quality asked for, with which such a file scores what one of another effort does (by
#: SSIMULACRA 2, the mean of photographs in three sizes). Table 2 is tuned for MS-SSIM, 0 is that of the standard. Gray and CMYK
#: have luma only.
TRELLIS: dict[str, tuple[int, dict[int, float]]] = {
    "4:2:0": (2, {1: 1, 10: 9, 20: 19.3, 30: 30.7, 50: 52.3, 60: 60.9, 70: 71.5, 80: 81.9, 85: 86.4, 89: 89.7, 100: 100}),
    "4:4:4": (0, {1: 1, 10: 10.4, 20: 21.2, 30: 32, 75: 76.2, 90: 91.3, 95: 95.4, 100: 100}),
    "luma": (2, {1: 1, 10: 10.5, 30: 35, 50: 60.5, 70: 75, 85: 87.4, 95: 95.6, 100: 100}),
}


class Jpeg(Codec, frozen=True, kw_only=True, tag="jpeg"):
    """JPEG: lossy, without transparency, supported everywhere.

    Use it for photographs. The effort ``default`` optimises the Huffman tables; ``best`` writes a progressive file with trellis
    quantisation: about a tenth smaller and as good, nine times as slow to write, and half as long again to read.

    Example: ``--format jpeg:quality=80,progressive=true``
    """

    format: ClassVar = Format(
        library="libjpeg-turbo by simplejpeg; libjpeg-turbo and mozjpeg by libvips",
        name="jpeg", label="JPEG", extensions=("jpg", "jpeg", "jpe", "jfif", "jif", "jfi", "pjpeg", "pjp", "mpo", "jps"),
        mime="image/jpeg", lossy=True,
        signature=SIGNATURE, end=b"\xff\xd9", alpha=False, max_side=65_500, streams=True, encoder_copies=3, file_copies=1,
        profiles=(b"RGB ", b"GRAY", b"CMYK"),
    )  # fmt: skip
    container: ClassVar = jpeg_metadata.CONTAINER
    scores: ClassVar = {3: -63, 8: -19, 15: 18, 25: 43, 35: 54.5, 55: 65, 72: 73, 89: 83}

    quality: Annotated[int, Meta(ge=1, le=100, description="quality; 75 to 90 suits the web")] = 85
    effort: Effort = "default"
    progressive: Annotated[bool, Meta(description="write a progressive file, which browsers show coarsely at first")] = False
    subsampling: Annotated[
        Literal["auto", "4:2:0", "4:4:4"], Meta(description="chroma subsampling; auto uses 4:2:0 below quality 90")
    ] = "auto"

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header; counts the scans. Uses libvips only if the markers are not sufficient."""
        scan = jpeg.scan(source.chunks())
        jpeg.check(scan)
        if scan.is_plain and max(scan.width, scan.height) <= cls.format.max_side:
            return Header(
                format=cls.format,
                width=scan.width,
                height=scan.height,
                bands=scan.bands,
                scans=scan.scans,
                chroma_stretch=scan.chroma_stretch,
                progressive=scan.progressive,
                metadata_size=scan.metadata_size,
            )
        header = vips_load.read_header(source, cls.format, "jpegload")
        size = max(header.metadata_size, scan.metadata_size)
        return vips_load.evolve(
            header, scans=scan.scans, chroma_stretch=scan.chroma_stretch, progressive=scan.progressive, metadata_size=size
        )

    @classmethod
    def exif(cls, source: Input) -> bytes:
        """Return the EXIF block."""
        return vips_load.exif(source, "jpegload")

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the image, shrunk in the DCT so that at least a factor of two remains for the resize."""
        shrink = next((factor for factor in SHRINKS if _is_exact(factor, header, options.shrink)), 1)
        image = vips_load.open_image(source, "jpegload", options, shrink=shrink)
        return with_stated_colours(image, colour_statements(image.pixels))

    @classmethod
    def equivalents(cls, source: Input) -> Iterator[Input]:
        """Yield the file without bytes between its segments; then without zeros, and without others, behind its scans."""
        data, seen = source.read(), {b""}
        for trim in jpeg_segments.TRIMS:
            plain = jpeg_segments.rewritten(data, trim=trim)
            if plain not in seen:
                seen.add(plain)
                yield Input(plain)

    def no_better_than(self, source: Input) -> "Jpeg":
        """Return this codec with at most the quality of ``source``, progressive and with subsampled chroma where that is."""
        from pixmill.imaging.parsers import jpeg_tables  # noqa: PLC0415  # only keep needs it

        encoding = jpeg_tables.read(source.mapped())
        return self.evolve(
            quality=min(self.quality, encoding.quality or self.quality),
            progressive=self.progressive or encoding.is_progressive,
            subsampling=SUBSAMPLING.get(encoding.sampling or UNKNOWN, self.subsampling),
        )

    def without_loss(self, data: bytes) -> bytes:
        """Return the file with the same coefficients, in progressive scans and with Huffman tables of its own."""
        import mozjpeg_lossless_optimization as mozjpeg  # noqa: PLC0415  # only for the option lossless

        return bytes(mozjpeg.optimize(data, copy=mozjpeg.COPY_MARKERS.ICC))

    def by_quality(self) -> tuple[Codec, ...]:
        """Return the qualities that may be searched for: with whole chroma from the one on that takes as many bytes.

        Otherwise nothing would be between the scores of 89 and 90, which are 5 points apart.
        """
        if self.subsampling != "auto":
            return super().by_quality()
        halved = self.evolve(subsampling="4:2:0").by_quality()[:HALVED_QUALITIES]
        return *halved, *self.evolve(subsampling="4:4:4").by_quality()[WHOLE_QUALITIES:]

    @property
    def typical_score(self) -> float:
        """Return the score of a typical photograph with this quality and subsampling."""
        return interpolated(WHOLE_SCORES, self.quality) if self.subsampling == "4:4:4" else super().typical_score

    @property
    def chroma(self) -> str:
        """Return the chroma subsampling of the file."""
        if self.subsampling != "auto":
            return self.subsampling
        return "4:4:4" if self.quality >= FULL_CHROMA_MIN_QUALITY else "4:2:0"

    def encode(self, image: Image) -> bytes:
        """Return the encoded file."""
        settings: dict[str, Setting] = {**EFFORTS[self.effort], **({"interlace": True} if self.progressive else {})}
        quality: float = self.quality
        if self.effort == "best":
            settings["quant_table"], qualities = TRELLIS[self.chroma if image.pixels.bands == COLOURS else "luma"]
            quality = interpolated(qualities, quality)
        return vips_save.save(image, "jpegsave", Q=round(quality), subsample_mode=CHROMA[self.chroma], **settings)


def _is_exact(factor: int, header: Header, shrink: float) -> bool:
    """Return whether a factor of two remains for the resize, and the pixels cut off at the edges shift the output by little."""
    shift = max(header.width % factor, header.height % factor) / 2 / shrink
    return shrink >= 2 * factor and shift < MAX_SHIFT


def colour_statements(pixels: pyvips.Image) -> Statements:
    """Return what a JPEG that libvips has opened says about its colours: its profile, and whether it is a DCF option file."""
    is_option_file = field(pixels, "exif-ifd4-InteroperabilityIndex", "").startswith(ADOBE_RGB_INDEX)
    is_uncalibrated = field(pixels, "exif-ifd2-ColorSpace", "").startswith(UNCALIBRATED)
    return {"ICC": field(pixels, PROFILE, b""), "DCF": b"R03" if is_option_file and is_uncalibrated else b""}
