"""The contract of every operation: one step of a recipe."""

from pathlib import Path
from types import FunctionType
from typing import ClassVar, Self

from pixmill.core.errors import RecipeError
from pixmill.core.registry import Registry
from pixmill.core.variant import Variant
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image


class Operation(Variant, frozen=True, kw_only=True, tag_field="operation"):
    """One step: a few declared parameters and ``apply``.

    The class docstring's first line is what ``pixmill explain`` says of it; the rest says when to use it, and ends with a
    line ``Example: --step NAME:key=value`` in double back quotes. The facts below are what the engine and ``plan`` ask an
    operation; a new one states those that are not as they stand here.
    """

    error: ClassVar = RecipeError

    #: It changes how many pixels a detail of the picture has.
    rescales: ClassVar[bool] = False
    #: It says how large the picture is to be, or which part of it: the default box stands back.
    sets_size: ClassVar[bool] = False
    #: What it does is measured in pixels: a rescaling that follows would distort it.
    wants_final_scale: ClassVar[bool] = False
    #: It looks at transparency, and has nothing to look at once that is gone.
    uses_alpha: ClassVar[bool] = False
    #: Its result has no transparency.
    removes_alpha: ClassVar[bool] = False
    #: Its result is no longer in the working colour space, which every other step counts on.
    leaves_working_space: ClassVar[bool] = False

    #: It runs code that is not ours, which may want to write files or to use the network.
    runs_foreign_code: ClassVar[bool] = False

    @classmethod
    def from_builtins(cls, data: object) -> Self:
        """Return the operation that ``data`` is: a table, text, an operation, or a function of the user's own."""
        if isinstance(data, FunctionType):
            step: Self = cls.registry.get("python").of(data)
            return step
        return super().from_builtins(data)

    @property
    def streams(self) -> bool:
        """Tell whether rows are read once, from top to bottom; otherwise the step holds the whole picture in memory."""
        return True

    @property
    def enlarges(self) -> bool:
        """Tell whether the result may show a detail with more pixels than it came with."""
        return False

    @property
    def may_fail(self) -> bool:
        """Tell whether ``size_after`` raises for some sizes."""
        return False

    @property
    def adds_alpha(self) -> bool:
        """Tell whether an opaque picture may come out with transparency."""
        return False

    @property
    def files(self) -> tuple[str, ...]:
        """Return the local files that the step reads besides the picture; their content is part of what is asked for."""
        return ()

    @property
    def modules(self) -> tuple[str, ...]:
        """Return the names of the Python modules, besides that of the step itself, whose code it runs."""
        return ()

    def check(self) -> None:
        """Raise ``RecipeError`` when the step cannot work on this machine, whatever the picture; called once, before a run."""
        for file in self.files:
            if not Path(file).is_file():
                raise self.error(f"{self.label()}: there is no file {file}")

    def size_after(self, size: Size) -> Size | None:
        """Return the size that a picture of ``size`` comes out with, or ``None`` where its pixels decide.

        ``TransformError`` where the step cannot be done on a picture of that size.
        """
        return size

    def apply(self, image: Image) -> Image:
        """Return the transformed picture. Pixels come upright, in the working colour space, alpha not premultiplied.

        An animation is a column of frames (``image.frames``, ``image.frame_height``) and must stay one. ``TransformError``
        when the step cannot be done on this picture.
        """
        raise NotImplementedError


Operation.registry = Registry("pixmill.imaging.operations", Operation, "operation", RecipeError)
