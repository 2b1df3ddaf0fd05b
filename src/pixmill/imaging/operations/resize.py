"""``resize``: the picture made to meet a box, a side, or a percentage."""

from typing import Annotated

from msgspec import Meta

from pixmill.imaging import geometry
from pixmill.imaging.geometry import Fit, Size
from pixmill.imaging.gravity import Gravity
from pixmill.imaging.image import Image
from pixmill.imaging.paint import Colour
from pixmill.imaging.scaling import Scaling


class Resize(Scaling, frozen=True, kw_only=True, tag="resize"):
    """Scale the picture to a box: within it, filling it and cut, padded to it, or distorted to it.

    With one side given the other follows. Pictures are never enlarged unless asked.

    Example: ``--step resize:width=800,height=600,fit=cover``
    """

    width: Annotated[int, Meta(ge=1, description="Width of the box in pixels; follows from the height when left out.")] | None = (
        None
    )
    height: Annotated[int, Meta(ge=1, description="Height of the box in pixels; follows from the width when left out.")] | None = (
        None
    )
    percent: Annotated[float, Meta(gt=0, le=10_000, description="Scale both sides by this instead.")] | None = None
    fit: Annotated[Fit, Meta(description="How the picture meets the box.")] = "inside"
    enlarge: Annotated[bool, Meta(description="Make pictures larger that are smaller than the box.")] = False
    gravity: Annotated[Gravity, Meta(description="Which part to keep, or where the picture lies in the padded box.")] = Gravity(
        "centre"
    )
    background: Annotated[Colour, Meta(description="Colour around the picture for fit=contain.")] = Colour(255, 255, 255)

    def __post_init__(self) -> None:
        """Refuse a resize that says nothing, or two things at once."""
        super().__post_init__()
        sides = (self.width, self.height) != (None, None)
        if sides == (self.percent is not None):
            received = "both" if sides else "none"
            raise self.error(f"resize: expected either a width or height or a percent, received {received}")

    @property
    def enlarges(self) -> bool:
        """Tell whether a picture may come out larger than it was."""
        return self.enlarge or (self.percent or 0) > 100  # noqa: PLR2004  # per cent

    def target(self, size: Size) -> Size:
        """Return the size to which a picture of ``size`` is scaled, before it is cut or padded."""
        if self.percent is not None:
            return geometry.scaled(size, self.percent / 100)
        return geometry.target(size, self.width, self.height, fit=self.fit, enlarge=self.enlarge)

    def finish(self, image: Image) -> Image:
        """Return the scaled picture cut (``cover``) or padded (``contain``) to the box."""
        if self.fit == "cover":
            return self._cut(image)
        return self._padded(image) if self.fit == "contain" else image

    def _cut(self, image: Image) -> Image:
        size = (image.width, image.height)
        kept = geometry.kept(size, self.width, self.height)
        if kept == size:
            return image
        left, top = self.gravity.place(size, kept)
        return image.map(lambda pixels: pixels.crop(left, top, *kept))

    def _padded(self, image: Image) -> Image:
        box = (self.width or image.width, self.height or image.height)
        if box == (image.width, image.height):
            return image
        ready = self.background.ready(image)
        left, top = self.gravity.place(box, (image.width, image.height))
        background = self.background.on(ready)
        return ready.map(lambda pixels: pixels.embed(left, top, *box, extend="background", background=background))
