"""``python``: a user-defined function or class as a step."""

import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Self

import pyvips
from msgspec import Meta, structs

from pixmill.core.errors import ConfigError, ImageError, RecipeError, Skip, TransformError
from pixmill.core.object_reference import reference
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Resources
from pixmill.imaging.pixels import describe_invalid, quantised
from pixmill.imaging.user_steps import instances
from pixmill.imaging.user_steps.batching import batched
from pixmill.imaging.user_steps.columns import plain_columns
from pixmill.imaging.user_steps.step import Step


class Python(Operation, frozen=True, kw_only=True, tag="python"):
    """Call a function of your own: ``def step(image: Image) -> Image``.

    The image is upright and in the working colour space. ``image.to_numpy()`` and ``image.to_pil()`` return its pixels;
    ``Image.from_numpy`` and ``Image.from_pil`` create an image from them. Fractional values are rounded and clipped. The function
    runs in the worker process. An exception fails only that image, and the error names the line that raised it;
    ``pixmill.Skip("no face")`` rejects it, without a failure. For an animation, the function is called once per frame. In Python,
    pass the function itself as a step.

    A class derived from ``pixmill.Step`` can load a model once in each worker, and has settings of its own, which follow
    the name: ``python:function=steps.py:Upscale,scale=4``. In Python, pass an instance.

    Example: ``--step python:function=steps.py:posterize``
    """

    runs_foreign_code: ClassVar = True
    has_further_settings: ClassVar = True

    function: Annotated[str, Meta(min_length=3, description="`path/to/file.py:name` or `package.module:name`")]
    settings: Annotated[
        Mapping[str, Any],  # checked by the class
        Meta(description="the settings of a class; they may also be given by their own names", extra={"later": True}),
    ] = {}  # a default of a frozen model
    version: Annotated[
        str, Meta(description="set from the class: another version makes the outputs again", extra={"later": True})
    ] = ""

    @classmethod
    def from_builtins(cls, data: object) -> Self:
        """Return the step that ``data`` describes; what is not declared here is a setting of the class."""
        if isinstance(data, types.FunctionType | Step) or (isinstance(data, type) and issubclass(data, Step)):
            return cls.of(data)
        if isinstance(data, dict):
            own = {field.encode_name for field in structs.fields(cls)} | {cls.__struct_config__.tag_field}
            others = {key: value for key, value in data.items() if key not in own}
            if others:
                data = {key: value for key, value in data.items() if key in own} | {"settings": data.get("settings", {}) | others}
        return super().from_builtins(data)

    @classmethod
    def of(cls, function: Callable[[Image], Image] | type[Step]) -> Self:
        """Return the step that calls ``function``, which may be a class or an instance of one.

        Raise ``RecipeError`` for a lambda, or a function or class that is not at the top level.
        """
        try:
            if isinstance(function, Step):
                return cls(function=reference(type(function)), settings=structs.asdict(function))
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

    @property
    def resources(self) -> Resources:
        """Return what the class declares."""
        return instances.resources(self.function, self.settings)

    def text(self) -> str:
        """Return the step as it is typed: the settings of a class by their own names, and no version."""
        return ",".join([f"python:function={self.function}", *(f"{key}={value}" for key, value in self.settings.items())])

    def check(self) -> None:
        """Import the function, so that a misspelt name stops the run before it starts, and check the settings."""
        super().check()
        instances.made(self.function, self.settings)

    def resolved(self) -> Self:
        """Return the step with the version of its class."""
        self.check()
        return self.evolve(version=getattr(instances.imported(self.function), "version", ""))

    def open(self) -> None:
        """Open an instance of the class, once in this process."""
        instances.opened(self.function, self.settings)

    def close(self) -> None:
        """Close the instance."""
        instances.close(self.function, self.settings)

    def size_after(self, size: Size) -> None:
        """Return ``None``: the size depends on the function."""
        del size

    def apply(self, image: Image) -> Image:
        """Return the function's result for the image, or for each frame. Raise ``TransformError`` if it fails."""
        # Pixels are computed before the call, so that a damaged source is not blamed on the function.
        in_memory = image.evolve(pixels=image.pixels.copy_memory())
        if image.frames == 1:
            return self._call(in_memory)
        results = [self._call(Image(in_memory.frame(index))) for index in range(image.frames)]
        frames = [result.pixels for result in results]
        shapes = {(frame.width, frame.height, frame.bands, frame.format) for frame in frames}
        if len(shapes) > 1:
            raise TransformError(
                f"{self.function} returned frames that differ in size or bands, expected {image.frames} of the same size and bands"
            )
        columns = {name: value for result in results for name, value in result.columns.items()}
        return image.evolve(pixels=pyvips.Image.arrayjoin(frames, across=1), columns=columns)

    def _call(self, still: Image) -> Image:
        function = instances.opened(self.function, self.settings)  # importable when the run began: if not, no image is at fault
        try:
            result = batched(still, function) if isinstance(function, Step) else function(still)
        except (ImageError, MemoryError, Skip):
            raise
        except Exception as error:  # noqa: BLE001  # user code can raise anything
            trimmed = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
            raise TransformError(f"{self.function} raised {instances.describe_exception(trimmed)}") from trimmed
        if not isinstance(result, Image):
            raise TransformError(f"{self.function} returned {type(result).__name__}, expected pixmill.Image")
        levels = quantised(result)
        if problem := describe_invalid(levels):
            raise TransformError(f"{self.function} returned {problem}")
        try:
            return levels.evolve(columns=plain_columns(result.columns)) if result.columns else levels
        except ValueError as error:
            raise TransformError(f"{self.function}: {error}") from None
