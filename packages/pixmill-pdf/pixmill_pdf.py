"""``pdf`` for pixmill: a page of a PDF document, drawn by PDFium."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from pixmill.core.errors import UnsupportedError
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

POINTS_PER_INCH, ROUNDING = 72, 1e-6
BANDS = 4  # of the bitmap that PDFium draws on
WHITE = Colour(255, 255, 255)


class Pdf(Codec, frozen=True, kw_only=True, tag="pdf"):
    """PDF: one page of a document. Input only, and only with ``--allow pdf``.

    The page is drawn at its own size, in ``dpi``, or directly at the size that a resize needs, if that is smaller. Nothing in a
    document is executed or loaded from elsewhere. A page that does not exist, and a document with a password, are ``unsupported``.

    Example: ``--allow pdf:page=2,dpi=300``
    """

    format: ClassVar = Format(
        name="pdf", label="PDF", extensions=("pdf",), mime="application/pdf", signature=rb"(?:\xef\xbb\xbf)?\s*%PDF-",
        opt_in=True, writable=False, pages="pages", decoder_copies=3,
    )  # fmt: skip

    page: Annotated[int, Meta(ge=1, description="number of the page, from 1")] = 1
    dpi: Annotated[float, Meta(gt=0, le=2400, description="pixels per inch")] = 150.0
    background: Annotated[Colour, Meta(description="colour of the paper")] = WHITE

    def header(self, source: Input) -> Header:
        """Return the header: the size of the page in pixels, and the number of pages."""
        with self._opened(source) as (document, page):
            width, height = (math.ceil(side * self._scale) for side in page.get_size())
            return Header(format=self.format, width=width, height=height, frames=len(document), bands=BANDS)

    def decode(self, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the page, at twice the size that a later resize needs, or at its own."""
        scale = self._scale * min(1.0, 2 / options.shrink)
        paper = (self.background.red, self.background.green, self.background.blue, self.background.alpha)
        with self._opened(source) as (_, page):
            bitmap = page.render(scale=scale, fill_color=paper, rev_byteorder=True, maybe_alpha=not self.background.is_opaque)
            pixels = bitmap.to_numpy().copy()
        return Image.from_numpy(pixels[..., :3] if self.background.is_opaque else pixels)

    @property
    def _scale(self) -> float:
        """Return the pixels per point, less what rounding may add to a side of a whole number of pixels."""
        return self.dpi / POINTS_PER_INCH * (1 - ROUNDING)

    @contextmanager
    def _opened(self, source: Input) -> "Iterator[tuple[PdfDocument, PdfPage]]":
        import pypdfium2  # noqa: PLC0415  # most images are no PDF

        try:
            document = pypdfium2.PdfDocument(source.data or source.name)
        except pypdfium2.PdfiumError as error:
            if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
                raise UnsupportedError("the PDF has a password", kind="PDF with a password") from None
            raise
        with document:
            if self.page > len(document):
                raise UnsupportedError(
                    f"the PDF has {len(document)} pages, and no page {self.page}", options={"allow": "pdf:page=1"}
                )
            yield document, document[self.page - 1]
