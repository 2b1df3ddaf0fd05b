"""Mix neighbouring pixels of a picture with transparency without the colours that nobody sees leaking in."""

from collections.abc import Callable

import pyvips


def premultiplied(pixels: pyvips.Image, transform: Callable[[pyvips.Image], pyvips.Image]) -> pyvips.Image:
    """Return ``transform(pixels)``, done on colours weighted by their opacity where there is any; depth and space stay."""
    if not pixels.hasalpha():
        return transform(pixels)
    mixed = transform(pixels.premultiply()).unpremultiply()
    return mixed.rint().cast(pixels.format).copy(interpretation=pixels.interpretation)
