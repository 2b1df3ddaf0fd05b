"""``resize``: the picture made to meet a box, a side, or a percentage."""

from typing import Annotated

from msgspec import Meta

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.compositing import embed
from pixmill.imaging.geometry import sizes
from pixmill.imaging.geometry.sizes import Fit, Side, Size
from pixmill.imaging.geometry.smart_crop import CropGravity, crop_to
from pixmill.imaging.image import Image
from pixmill.imaging.scaling import Scaling

WHOLE = 100
Percent = Annotated[float, Meta(gt=0, le=10_000)]


class Resize(Scaling, frozen=True, kw_only=True, tag="resize"):
    """Make the picture smaller: to a box, to one side, or by a percentage.

    ``inside`` keeps all of the picture within the box, ``cover`` fills the box and cuts what hangs over, ``contain`` adds room
    until the box is full, ``fill`` distorts. With one side given the other follows from the proportions. Nothing is enlarged
    unless asked; a smaller picture is then cut or padded as it is. Room is transparent unless said otherwise, and so of the
    output's background where the format has no transparency.

    Example: ``--step resize:width=800,height=600,fit=cover``
    """

    width: Annotated[Side | None, Meta(description="width of the box in pixels; follows from the height when left out")] = None
    height: Annotated[Side | None, Meta(description="height of the box in pixels; follows from the width when left out")] = None
    percent: Annotated[Percent | None, Meta(description="scale both sides by this, instead of to a box")] = None
    fit: Annotated[Fit, Meta(description="how the picture meets the box")] = "inside"
    enlarge: Annotated[bool, Meta(description="make pictures larger that are smaller than the box")] = False
    gravity: Annotated[CropGravity, Meta(description="which part to keep (cover), or where the picture lies (contain)")] = (
        CropGravity("centre")
    )
    background: Annotated[Colour, Meta(description="colour of the room (contain)")] = Colour(0, 0, 0, alpha=0)

    def __post_init__(self) -> None:
        """Refuse a resize that says nothing, or two things at once."""
        super().__post_init__()
        sides = (self.width, self.height) != (None, None)
        if sides == (self.percent is not None):
            received = "both" if sides else "neither"
            raise self.error(f"resize: expected either a width or height or a percent, received {received}")

    @property
    def streams(self) -> bool:
        """Tell that the part to keep is searched for in the scaled picture, which is held for it."""
        return not (self.fit == "cover" and self.gravity.is_smart)

    @property
    def enlarges(self) -> bool:
        """Tell whether a picture may come out larger than it was."""
        return self.enlarge or (self.percent or 0) > WHOLE

    @property
    def adds_alpha(self) -> bool:
        """Tell that the room may be transparent."""
        return self.fit == "contain" and not self.background.is_opaque

    def target(self, size: Size) -> Size:
        """Return the size to which a picture of ``size`` is scaled, before it is cut or padded."""
        if self.percent is not None:
            return sizes.scaled(size, self.percent / WHOLE)
        return sizes.target(size, self.width, self.height, fit=self.fit, enlarge=self.enlarge)

    def size_after(self, size: Size) -> Size:
        """Return the size of the box where the picture is cut or padded to it, else that of the scaled picture."""
        scaled = self.target(size)
        if self.fit == "cover":
            return sizes.kept(scaled, self.width, self.height)
        return (self.width or scaled[0], self.height or scaled[1]) if self.fit == "contain" else scaled

    def finish(self, image: Image) -> Image:
        """Return the scaled picture cut (``cover``) or padded (``contain``) to the box."""
        size = (image.width, image.height)
        if self.fit == "cover":
            return crop_to(image, sizes.kept(size, self.width, self.height), self.gravity)
        if self.fit == "contain":
            box = (self.width or image.width, self.height or image.height)
            return embed(image, box, at=self.gravity.place(box, size), background=self.background)
        return image
