"""What steps do to pictures of given sizes: which of them will fail, and which enlarge. ``plan`` prints a sentence for each."""

from collections import Counter
from collections.abc import Iterable, Sequence

from pixmill.core.errors import TransformError
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.operation import Operation
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.scaling import Scaling


def depends_on_size(recipe: Recipe) -> bool:
    """Tell whether there is anything to judge: a step that fails on some sizes, or one that may enlarge."""
    steps = [*recipe.steps, *(step for rendition in recipe.renditions for step in rendition.steps)]
    return any(step.may_fail or step.enlarges for step in steps)


def size_warnings(recipe: Recipe, sizes: Sequence[Size]) -> list[str]:
    """Return a sentence for every step that fails on upright pictures of some of ``sizes``, or enlarges some of them."""
    judged = Judged()
    for size in sizes:
        after = judged.follow(size, enumerate(recipe.steps, start=1), "")
        for rendition in recipe.renditions if after else ():
            name = f" of {rendition.name}" if rendition.name else ""
            judged.follow(after, enumerate(rendition.steps, start=len(recipe.steps) + 1), name)
    return judged.sentences(len(sizes))


class Judged:
    """What was found out: by step, how many pictures it fails on (with the reason of the first) and how many it enlarges."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._failed: Counter[str] = Counter()
        self._reasons: dict[str, str] = {}
        self._enlarged: Counter[str] = Counter()

    def follow(self, size: Size | None, steps: Iterable[tuple[int, Operation]], whose: str) -> Size | None:
        """Return the size behind ``steps``, given with their numbers; ``None`` where it is not known, or there is none."""
        for number, step in steps:
            if size is None:
                return None
            named = f"step {number} ({step.label()}){whose}"
            self._enlarged[named] += _enlarges(step, size)
            try:
                size = step.size_after(size)
            except TransformError as error:
                self._failed[named] += 1
                self._reasons.setdefault(named, error.message.removeprefix(f"{step.label()}: "))
                return None
        return size

    def sentences(self, looked_at: int) -> list[str]:
        """Return what was found out in ``looked_at`` pictures."""
        of = f"of the {looked_at:,} images looked at" if looked_at > 1 else "of the one image looked at"
        failed = [f"{step} will fail on {count:,} {of}: {self._reasons[step]}" for step, count in self._failed.items()]
        enlarged = [f"{step} enlarges {count:,} {of}" for step, count in self._enlarged.items() if count]
        return failed + enlarged


def _enlarges(step: Operation, size: Size) -> bool:
    """Tell whether a picture of ``size`` gets more pixels than it has detail for."""
    if not step.enlarges or not isinstance(step, Scaling):
        return False
    width, height = step.target(size)
    return width > size[0] or height > size[1]
