"""The contract of every operation: one step of a recipe."""

from typing import ClassVar

from pixmill.core.errors import RecipeError
from pixmill.core.registry import Registry
from pixmill.core.variant import Variant
from pixmill.imaging.image import Image


class Operation(Variant, frozen=True, kw_only=True, tag_field="operation"):
    """One step: a few declared parameters and ``apply``.

    The class docstring's first line is what ``pixmill explain`` says of it; the rest says when to use it.
    """

    error: ClassVar = RecipeError

    def apply(self, image: Image) -> Image:
        """Return the transformed picture. Pixels come upright, in the working colour space, alpha not premultiplied.

        An animation is a column of frames (``image.frames``, ``image.frame_height``) and must stay one. ``TransformError``
        when the step cannot be done on this picture.
        """
        raise NotImplementedError


Operation.registry = Registry("pixmill.imaging.operations", Operation, "operation", RecipeError)
