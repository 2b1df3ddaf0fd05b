"""``python``: a user-defined function as a step."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, Self

import pyvips
from msgspec import Meta

from pixmill.core.errors import ConfigError, ImageError, RecipeError, RunError, Skip, TransformError
from pixmill.core.object_reference import import_object, reference
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.pixels import describe_invalid, quantised


class Python(Operation, frozen=True, kw_only=True, tag="python"):
    """Call a function of your own: ``def step(image: Image) -> Image``.

    The image is upright and in the working colour space. ``image.to_numpy()`` and ``image.to_pil()`` return its pixels;
    ``Image.from_numpy`` and ``Image.from_pil`` create an image from them. Fractional values are rounded and clipped. The function
    runs in the worker process. An exception fails only that image, and the error names the line that raised it;
    ``pixmill.Skip("no face")`` rejects it, without a failure. For an animation, the function is called once per frame. In Python,
    pass the function itself as a step.

    Example: ``--step python:function=steps.py:posterize``
    """

    runs_foreign_code: ClassVar = True

    function: Annotated[str, Meta(min_length=3, description="`path/to/file.py:name` or `package.module:name`")]

    @classmethod
    def of(cls, function: Callable[[Image], Image]) -> Self:
        """Return the step that calls ``function``. Raise ``RecipeError`` for a lambda or a nested function."""
        try:
            return cls(function=reference(function))
        except ConfigError as error:
            raise RecipeError(f"python.function: {error.message}", hint=error.hint) from None

    def __post_init__(self) -> None:
        """Reject text that is not a reference to a function."""
        super().__post_init__()
        module, _, name = self.function.rpartition(":")
        if not module or not name.replace(".", "_").isidentifier():
            raise self.error(f"python.function: expected path/to/file.py:name or package.module:name, received {self.function}")

    @property
    def streams(self) -> bool:
        """Return ``False``, because the function may read the pixels in any order."""
        return False

    @property
    def files(self) -> tuple[str, ...]:
        """Return the file of the function if it is given by path: a changed function changes the recipe."""
        path = self.function.rpartition(":")[0]
        return (path,) if path.endswith(".py") else ()

    @property
    def modules(self) -> tuple[str, ...]:
        """Return the module of the function if it is given by module name."""
        return () if self.files else (self.function.rpartition(":")[0],)

    def check(self) -> None:
        """Import the function, so that a misspelt name stops the run before it starts."""
        super().check()
        self._import_function()

    def size_after(self, size: Size) -> None:
        """Return ``None``: the size depends on the function."""
        del size

    def apply(self, image: Image) -> Image:
        """Return the function's result for the image, or for each frame. Raise ``TransformError`` if it fails."""
        # Pixels are computed before the call, so that a damaged source is not blamed on the function.
        in_memory = image.evolve(pixels=image.pixels.copy_memory())
        if image.frames == 1:
            return self._call(in_memory)
        frames = [self._call(Image(in_memory.frame(index))).pixels for index in range(image.frames)]
        shapes = {(frame.width, frame.height, frame.bands, frame.format) for frame in frames}
        if len(shapes) > 1:
            raise TransformError(
                f"{self.function} returned frames that differ in size or bands, expected {image.frames} of the same size and bands"
            )
        return image.evolve(pixels=pyvips.Image.arrayjoin(frames, across=1))

    def _import_function(self) -> Callable[[Image], object]:
        """Return the function. Raise ``RecipeError`` if it does not exist or cannot be imported."""
        try:
            return import_object(self.function)
        except ConfigError as error:
            raise RecipeError(f"python.function: {error.message}", hint=error.hint) from None
        except RunError:  # its file starts a run
            raise
        except Exception as error:
            raise RecipeError(f"python.function: {self.function} cannot be imported: {_describe_exception(error)}") from error

    def _call(self, still: Image) -> Image:
        function = self._import_function()  # it was importable when the run began: if it no longer is, the image is not at fault
        try:
            result: object = function(still)
        except (ImageError, MemoryError, Skip):
            raise
        except Exception as error:  # noqa: BLE001  # user code can raise anything
            trimmed = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
            raise TransformError(f"{self.function} raised {_describe_exception(trimmed)}") from trimmed
        if not isinstance(result, Image):
            raise TransformError(f"{self.function} returned {type(result).__name__}, expected pixmill.Image")
        levels = quantised(result)
        if problem := describe_invalid(levels):
            raise TransformError(f"{self.function} returned {problem}")
        return levels


def _describe_exception(error: Exception) -> str:
    """Return the exception on one line, with the location that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    location = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    sentence = traceback.format_exception_only(error)[-1].strip()
    return f"{sentence}{location}"
