"""``python``: a function of the user's own as a step."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, Self

import pyvips
from msgspec import Meta

from pixmill.core.errors import ConfigError, ImageError, RecipeError, TransformError
from pixmill.core.object_reference import import_object, reference
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.pixels import describe_invalid, quantised


class Python(Operation, frozen=True, kw_only=True, tag="python"):
    """Call a function of your own: ``def step(image: Image) -> Image``.

    The function gets the picture upright and in the working colour space; ``image.to_numpy()`` and ``image.to_pil()`` give
    its pixels, ``Image.from_numpy`` and ``Image.from_pil`` make a picture again; fractions are rounded and clipped. It runs
    in the worker process. Whatever it raises fails that one image, with the line it was raised at. An animation has it
    called for each frame. In Python, put the function itself among the steps.

    Example: ``--step python:function=steps.py:posterize``
    """

    runs_foreign_code: ClassVar = True

    function: Annotated[str, Meta(min_length=3, description="`path/to/file.py:name` or `package.module:name`")]

    @classmethod
    def of(cls, function: Callable[[Image], Image]) -> Self:
        """Return the step that calls ``function``; ``RecipeError`` for a lambda or an inner function."""
        try:
            return cls(function=reference(function))
        except ConfigError as error:
            raise RecipeError(f"python.function: {error.message}", hint=error.hint) from None

    def __post_init__(self) -> None:
        """Refuse what cannot be the address of a function."""
        super().__post_init__()
        module, _, name = self.function.rpartition(":")
        if not module or not name.replace(".", "_").isidentifier():
            raise self.error(f"python.function: expected path/to/file.py:name or package.module:name, received {self.function}")

    @property
    def streams(self) -> bool:
        """Tell that the function may read the pixels in any order."""
        return False

    @property
    def files(self) -> tuple[str, ...]:
        """Return the file of the function when it is named by its path: a changed function is a changed recipe."""
        path = self.function.rpartition(":")[0]
        return (path,) if path.endswith(".py") else ()

    @property
    def modules(self) -> tuple[str, ...]:
        """Return the module of the function when it is named by its module."""
        return () if self.files else (self.function.rpartition(":")[0],)

    def check(self) -> None:
        """Import the function, so that a misspelt name stops the run before it starts."""
        super().check()
        self._found()

    def size_after(self, size: Size) -> None:
        """Tell that only the function knows."""
        del size

    def apply(self, image: Image) -> Image:
        """Return what the function makes of the picture, or of each frame; ``TransformError`` when it cannot."""
        # Pixels are computed before the call, so that a damaged source is not blamed on the function.
        held = image.evolve(pixels=image.pixels.copy_memory())
        if image.frames == 1:
            return self._called(held)
        frames = [self._called(Image(held.frame(index))).pixels for index in range(image.frames)]
        shapes = {(frame.width, frame.height, frame.bands, frame.format) for frame in frames}
        if len(shapes) > 1:
            raise TransformError(f"{self.function} returned frames that differ in size or bands, expected {image.frames} alike")
        return image.evolve(pixels=pyvips.Image.arrayjoin(frames, across=1))

    def _found(self) -> Callable[[Image], object]:
        """Return the function; ``RecipeError`` where it is not there, or cannot be imported."""
        try:
            return import_object(self.function)
        except ConfigError as error:
            raise RecipeError(f"python.function: {error.message}") from None
        except Exception as error:
            raise RecipeError(f"python.function: {self.function} cannot be imported: {_told(error)}") from error

    def _called(self, still: Image) -> Image:
        function = self._found()  # it was there when the run began: if it is no more, no picture is to blame
        try:
            result: object = function(still)
        except (ImageError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  # foreign code raises what it likes
            trimmed = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
            raise TransformError(f"{self.function} raised {_told(trimmed)}") from trimmed
        if not isinstance(result, Image):
            raise TransformError(f"{self.function} returned {type(result).__name__}, expected pixmill.Image")
        levels = quantised(result)
        if fault := describe_invalid(levels):
            raise TransformError(f"{self.function} returned {fault}")
        return levels


def _told(error: Exception) -> str:
    """Return the exception in one line, with the line of code that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    sentence = traceback.format_exception_only(error)[-1].strip()
    return f"{sentence}{place}"
