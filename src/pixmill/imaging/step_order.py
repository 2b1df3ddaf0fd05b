"""Orders of steps that do what was asked and not what was meant. ``plan`` prints a sentence for each."""

from collections.abc import Callable, Sequence
from itertools import combinations

from pixmill.imaging.operation import Operation

Test = Callable[[Operation, Operation], bool]

#: What two steps in this order have about them, and the sentence about the first and the second that goes with it.
POOR_ORDERS: tuple[tuple[Test, str], ...] = (
    (
        lambda first, second: first.wants_final_scale and second.rescales,
        "{first} is measured in pixels, and {second} rescales them: put {first} after {second}",
    ),
    (
        lambda first, second: first.rescales and second.enlarges,
        "{second} may enlarge what {first} has made smaller, which costs sharpness: make {first} larger instead",
    ),
    (
        lambda first, second: first.removes_alpha and second.uses_alpha,
        "{first} removes the transparency that {second} looks at: put {first} after {second}",
    ),
    (
        lambda first, second: first.removes_alpha and second.adds_alpha,
        "{first} removes transparency and {second} adds some again: put {first} after {second}, or give {second} a background",
    ),
    (
        lambda first, _: first.leaves_working_space,
        "{first} leaves the colour space that {second} counts on: put {first} last",
    ),
)


def order_warnings(steps: Sequence[Operation]) -> list[str]:
    """Return a sentence for every two of ``steps`` that stand in a poor order, in the order of the steps."""
    named = [f"step {number} ({step.label()})" for number, step in enumerate(steps, start=1)]
    return [
        sentence.format(first=named[first], second=named[second])
        for first, second in combinations(range(len(steps)), 2)
        for is_poor, sentence in POOR_ORDERS
        if is_poor(steps[first], steps[second])
    ]
