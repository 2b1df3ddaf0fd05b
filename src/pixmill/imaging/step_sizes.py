"""Check which steps will fail on images of given sizes, and which enlarge them. ``plan`` prints a warning for each."""

from collections import Counter
from collections.abc import Iterable, Sequence

from pixmill.core.errors import TransformError
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.operation import Operation
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.scaling import Scaling

UNKNOWN_SIZE = "size-unknown"


def depends_on_size(recipe: Recipe) -> bool:
    """Return whether any step can fail on some sizes or may enlarge images."""
    steps = [*recipe.steps, *(step for rendition in recipe.renditions for step in rendition.steps)]
    return any(step.may_fail or step.enlarges for step in steps)


def size_warnings(recipe: Recipe, sizes: Sequence[Size]) -> list[str]:
    """Return a warning for every step that fails on, or enlarges, upright images of some of ``sizes``."""
    checker = SizeChecker()
    for size in sizes:
        after = checker.apply_steps(size, enumerate(recipe.steps, start=1), "")
        for rendition in recipe.renditions if after else ():
            name = f" of {rendition.name}" if rendition.name else ""
            checker.apply_steps(after, enumerate(rendition.steps, start=len(recipe.steps) + 1), name)
    return checker.warnings(len(sizes))


def output_sizes(recipe: Recipe, size: Size) -> tuple[Size, ...]:
    """Return the size of each output for an upright image of ``size``.

    Raise ``TransformError`` if a step cannot be applied to it, or if only its pixels tell the size.
    """
    return tuple(_after(size, (*recipe.shared_steps, *recipe.steps_of(rendition))) for rendition in recipe.renditions)


def _after(size: Size, steps: Iterable[Operation]) -> Size:
    for step in steps:
        after = step.size_after(size)
        if after is None:
            raise TransformError(f"{step.label()}: only the pixels of an image tell its size after this step", code=UNKNOWN_SIZE)
        size = after
    return size


class SizeChecker:
    """Counts, for each step, the images it fails on (with the reason for the first) and the images it enlarges."""

    def __init__(self) -> None:
        """Start with no counts."""
        self._failed: Counter[str] = Counter()
        self._reasons: dict[str, str] = {}
        self._enlarged: Counter[str] = Counter()

    def apply_steps(self, size: Size | None, steps: Iterable[tuple[int, Operation]], suffix: str) -> Size | None:
        """Return the size after the numbered ``steps``; ``None`` if it is unknown or a step fails."""
        for number, step in steps:
            if size is None:
                return None
            named = f"step {number} ({step.label()}){suffix}"
            self._enlarged[named] += _enlarges(step, size)
            try:
                size = step.size_after(size)
            except TransformError as error:
                self._failed[named] += 1
                self._reasons.setdefault(named, error.message.removeprefix(f"{step.label()}: "))
                return None
        return size

    def warnings(self, image_count: int) -> list[str]:
        """Return the warnings after checking ``image_count`` images."""
        share = f"of the {image_count:,} images examined" if image_count > 1 else "of the one image examined"
        failed = [f"{step} will fail on {count:,} {share}: {self._reasons[step]}" for step, count in self._failed.items()]
        enlarged = [f"{step} enlarges {count:,} {share}" for step, count in self._enlarged.items() if count]
        return failed + enlarged


def _enlarges(step: Operation, size: Size) -> bool:
    """Return whether ``step`` enlarges an image of ``size``."""
    if not step.enlarges or not isinstance(step, Scaling):
        return False
    width, height = step.target(size)
    return width > size[0] or height > size[1]
