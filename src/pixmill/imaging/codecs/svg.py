"""``svg``: vector drawings; read only if a recipe allows it, because rendering untrusted SVG is a risk."""

from typing import ClassVar

import pyvips

from pixmill.imaging.backends import vips_load
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input


class Svg(Codec, frozen=True, kw_only=True, tag="svg"):
    """SVG: vector drawings. Input only, and only with ``--allow svg``.

    SVG is rendered from memory, so that it cannot access other files.
    """

    format: ClassVar = Format(
        library="librsvg by libvips",
        name="svg", label="SVG", extensions=("svg",), mime="image/svg+xml", opt_in=True, writable=False,
        signature=rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.{0,512}?\?>|<!--.{0,2048}?-->|<!DOCTYPE\s+svg.{0,2048}?>|\s)*<svg[\s>]",
    )  # fmt: skip

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header with the drawing's own size."""
        pyvips.operation_block_set("VipsForeignLoadSvg", False)  # noqa: FBT003  # the library's own signature
        return vips_load.read_header(Input(source.read()), cls.format, "svgload")

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the drawing, rendered at the required size."""
        return vips_load.open_image(Input(source.read()), "svgload", options, scale=min(1.0, 2 / options.shrink))
