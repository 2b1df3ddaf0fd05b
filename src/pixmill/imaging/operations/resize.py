"""``resize``: scale the image to a box, a side, a number of pixels, or by a percentage."""

from typing import Annotated

from msgspec import Meta

from pixmill.core.units import Pixels
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.compositing import embed
from pixmill.imaging.geometry import sizes
from pixmill.imaging.geometry.sizes import FIT_WORDS, Fit, Side, Size
from pixmill.imaging.geometry.smart_crop import CropGravity, crop_to
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Placement
from pixmill.imaging.scaling import Scaling

FULL_PERCENT = 100
Percent = Annotated[float, Meta(gt=0, le=10_000)]


class Resize(Scaling, frozen=True, kw_only=True, tag="resize"):
    """Resize the image to a box, to one side, to a number of pixels, or by a percentage.

    ``inside`` fits the whole image inside the box, ``cover`` fills the box and crops the overflow, ``contain`` fits the image
    inside and pads it to the box, ``fill`` stretches it, ``outside`` makes it just large enough to cover the box and crops nothing.
    In a square box, the longer side is that of the box with ``inside``, the shorter with ``outside``. If only one side is given,
    the other follows from the aspect ratio.

    Images are not enlarged by default; a smaller image is then cropped or padded at its original scale. Padding is transparent
    by default, and takes the output's background if the format has no transparency.

    Example: ``--step resize:width=800,height=600,fit=cover``
    """

    width: Annotated[Side | None, Meta(description="width of the box in pixels; default: from the height and the aspect ratio")] = (
        None
    )
    height: Annotated[
        Side | None, Meta(description="height of the box in pixels; default: from the width and the aspect ratio")
    ] = None
    percent: Annotated[Percent | None, Meta(description="scale both sides by this percentage instead")] = None
    area: Annotated[
        Pixels | None,
        Meta(description="number of pixels of the result instead, such as 2MP, in its aspect ratio", extra={"later": True}),
    ] = None
    fit: Annotated[Fit, Meta(description="how the image fits the box", extra=FIT_WORDS)] = "inside"
    enlarge: Annotated[bool, Meta(description="also enlarge images that are smaller than the box")] = False
    gravity: Annotated[CropGravity, Meta(description="part to keep (cover), or position of the image (contain)")] = CropGravity(
        "centre"
    )
    background: Annotated[Colour, Meta(description="colour of the padding (contain)")] = Colour(0, 0, 0, alpha=0)

    def __post_init__(self) -> None:
        """Reject a resize with none of a side, a percentage and an area, or with more than one of them."""
        super().__post_init__()
        given = [(self.width, self.height) != (None, None), self.percent is not None, self.area is not None]
        if sum(given) != 1:
            received = "more than one of them" if sum(given) else "none of them"
            raise self.error(f"resize: expected a width or height, or a percent, or an area, received {received}")

    @property
    def streams(self) -> bool:
        """Return whether neither a smart crop nor enlarging is needed, which keep the scaled image in memory."""
        return not (self.fit == "cover" and self.gravity.is_smart) and not self.enlarges

    @property
    def enlarges(self) -> bool:
        """Return whether the result may be larger than the image."""
        return self.enlarge or (self.percent or 0) > FULL_PERCENT

    @property
    def placement(self) -> Placement:
        """Return that the size decides, unless the image is padded or the crop is smart."""
        is_cut_by_content = self.fit == "cover" and self.gravity.is_smart
        return "other" if is_cut_by_content or self.fit == "contain" else "by-size"

    @property
    def adds_alpha(self) -> bool:
        """Return whether the padding may be transparent."""
        return self.fit == "contain" and not self.background.is_opaque

    def target(self, size: Size) -> Size:
        """Return the size to which an image of ``size`` is scaled, before it is cropped or padded."""
        if self.percent is not None:
            return sizes.scaled(size, self.percent / FULL_PERCENT)
        if self.area is not None:
            return sizes.of_area(size, self.area, enlarge=self.enlarge)
        return sizes.target(size, self.width, self.height, fit=self.fit, enlarge=self.enlarge)

    def size_after(self, size: Size) -> Size:
        """Return the size of the box if the image is cropped or padded to it, otherwise the scaled size."""
        scaled = self.target(size)
        if self.fit == "cover":
            return sizes.cropped_size(scaled, self.width, self.height)
        return (self.width or scaled[0], self.height or scaled[1]) if self.fit == "contain" else scaled

    def finish(self, image: Image) -> Image:
        """Return the scaled image cropped (``cover``) or padded (``contain``) to the box."""
        size = (image.width, image.height)
        if self.fit == "cover":
            return crop_to(image, sizes.cropped_size(size, self.width, self.height), self.gravity)
        if self.fit == "contain":
            box = (self.width or image.width, self.height or image.height)
            return embed(image, box, offset=self.gravity.offset(box, size), background=self.background)
        return image
