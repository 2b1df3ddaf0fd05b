"""The contract of every operation: one step of a recipe."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple, Self

from pixmill.core.errors import RecipeError
from pixmill.core.registry import Registry
from pixmill.core.variant import Variant
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image

#: Nowhere; to places that follow from the size of the image alone; or to others, or it adds some.
Placement = Literal["kept", "by-size", "other"]


class Resources(NamedTuple):
    """What a step needs of the process that it runs in.

    ``memory``: bytes that it holds in each worker. ``open_timeout``: seconds that ``open`` may take. ``needs`` of third-party code
    only: what it needs besides computing and reading files, "network" and folders to write in; ``None`` if that is unknown.
    ``batch_size``: the number of images that it takes at once. ``cluster``: what each worker needs of a node of a cluster, by name.
    """

    memory: int = 0
    open_timeout: float = 0.0
    needs: tuple[str, ...] | None = None
    batch_size: int = 1
    cluster: tuple[tuple[str, float], ...] = ()


class Operation(Variant, frozen=True, kw_only=True, tag_field="operation"):
    """One step: a few declared parameters and ``apply``.

    The first line of the class docstring is the summary in ``pixmill explain``; the rest says when to use the operation, and
    ends with a line ``Example: --step NAME:key=value`` in double back quotes. The engine and ``plan`` read the attributes
    below; a new operation overrides those that differ from the defaults.
    """

    error: ClassVar = RecipeError

    #: It changes the scale of details, in pixels.
    rescales: ClassVar[bool] = False
    #: It sets the size of the image or selects a part of it, so the default box is not applied.
    sets_size: ClassVar[bool] = False
    #: Its effect is measured in pixels, so a later resize would distort it.
    wants_final_scale: ClassVar[bool] = False
    #: It depends on transparency, and has no effect on that part once alpha is removed.
    uses_alpha: ClassVar[bool] = False
    #: Its result has no transparency.
    removes_alpha: ClassVar[bool] = False
    #: Its result is no longer in the working colour space, which every other step requires.
    leaves_working_space: ClassVar[bool] = False

    #: It runs third-party code, which may need to write files or use the network.
    runs_foreign_code: ClassVar[bool] = False

    @classmethod
    def from_builtins(cls, data: object) -> Self:
        """Return the operation that ``data`` describes: a table, text, an operation, or a user-defined function."""
        if callable(data):
            step: Self = cls.registry.get("python").of(data)
            return step
        return super().from_builtins(data)

    @property
    def streams(self) -> bool:
        """Return whether rows are read once, from top to bottom; otherwise the step keeps the whole image in memory."""
        return True

    @property
    def placement(self) -> Placement:
        """Return where the step moves pixels: a gain map follows all but ``other``."""
        return "other"

    @property
    def enlarges(self) -> bool:
        """Return whether the step may enlarge the image."""
        return False

    @property
    def may_fail(self) -> bool:
        """Return whether ``size_after`` raises for some sizes."""
        return False

    @property
    def adds_alpha(self) -> bool:
        """Return whether the step may add transparency to an opaque image."""
        return False

    @property
    def files(self) -> tuple[str, ...]:
        """Return the local files that the step reads besides the image; their content is part of the recipe's fingerprint."""
        return ()

    @property
    def modules(self) -> tuple[str, ...]:
        """Return the names of the Python modules whose code the step runs, except its own."""
        return ()

    @property
    def variables(self) -> frozenset[str]:
        """Return the names of variables that stand for what the metadata of the source say."""
        return frozenset()

    def with_values(self, values: Mapping[str, str]) -> Self:
        """Return the step with ``values`` in place of its variables, by their names; those that are not known are absent."""
        del values
        return self

    @property
    def resources(self) -> Resources:
        """Return what the step needs of the process that it runs in; code of others declares here whether it may be confined."""
        return Resources()

    def resolved(self) -> Self:
        """Return the step, checked, with what this machine knows about it. Called once, before a run."""
        self.check()
        return self

    def open(self) -> None:
        """Load what the step needs. Called once in each worker, before its first image."""

    def close(self) -> None:
        """Release what ``open`` has loaded. Called when a worker ends in good order."""

    def check(self) -> None:
        """Raise ``RecipeError`` if the step cannot work on this machine for any image."""
        for file in self.files:
            if not Path(file).is_file():
                raise self.error(f"{self.label()}: file not found: {file}")

    def size_after(self, size: Size) -> Size | None:
        """Return the size of the result for an image of ``size``, or ``None`` if it depends on the pixels.

        Raise ``TransformError`` if the step cannot be applied to an image of that size.
        """
        return size

    def apply(self, image: Image) -> Image:
        """Return the transformed image. The pixels are upright, in the working colour space, with alpha not premultiplied.

        An animation is a column of frames (``image.frames``, each ``image.height`` pixels high) and must stay one. Raise
        ``TransformError`` if the step cannot be applied to this image.
        """
        raise NotImplementedError


#: What is accepted for a step: an operation, its text or table, or a function or ``Step`` of your own.
StepLike = Operation | str | Mapping[str, object] | Callable[[Image], Image] | Callable[[], Callable[[Image], Image]]

_OTHER_WORDS = {
    **dict.fromkeys(("gray", "grey", "greyscale", "bw", "black_and_white", "monochrome", "mono", "desaturate"), "grayscale"),
    **dict.fromkeys(("padding", "extend", "extent"), "pad"),
    **dict.fromkeys(("frame", "stroke"), "border"),
    **dict.fromkeys(("caption", "annotate", "label", "title", "copyright"), "text"),
    **dict.fromkeys(("mirror", "flop"), "flip"),
    **dict.fromkeys(("logo", "overlay", "composite", "stamp"), "watermark"),
    **dict.fromkeys(("unsharp", "unsharp_mask", "usm"), "sharpen"),
    **dict.fromkeys(("saturate", "vibrance"), "saturation"),
    **dict.fromkeys(("thumbnail", "scale"), "resize"),
}
Operation.registry = Registry("pixmill.imaging.operations", Operation, "operation", RecipeError, other_words=_OTHER_WORDS)
