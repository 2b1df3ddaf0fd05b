"""Detect step orders that are valid but probably not intended. ``plan`` prints a warning for each."""

from collections.abc import Callable, Sequence
from itertools import combinations

from pixmill.imaging.operation import Operation

Test = Callable[[Operation, Operation], bool]

#: A test on two steps in this order, and the warning about the first and the second.
POOR_ORDERS: tuple[tuple[Test, str], ...] = (
    (
        lambda first, second: first.wants_final_scale and second.rescales,
        "{first} is measured in pixels, and {second} then rescales the image: put {first} after {second}",
    ),
    (
        lambda first, second: first.rescales and second.enlarges,
        "{second} may enlarge an image that {first} has reduced, which loses sharpness: use a larger size in {first} instead",
    ),
    (
        lambda first, second: first.removes_alpha and second.uses_alpha,
        "{first} removes the transparency that {second} uses: put {first} after {second}",
    ),
    (
        lambda first, second: first.removes_alpha and second.adds_alpha,
        "{first} removes transparency and {second} adds it again: put {first} after {second}, or give {second} a background",
    ),
    (
        lambda first, _: first.leaves_working_space,
        "{first} leaves the colour space that {second} requires: put {first} last",
    ),
)


def order_warnings(steps: Sequence[Operation]) -> list[str]:
    """Return a warning for every pair of ``steps`` that are in a poor order, in the order of the steps."""
    named = [f"step {number} ({step.label()})" for number, step in enumerate(steps, start=1)]
    return [
        sentence.format(first=named[first], second=named[second])
        for first, second in combinations(range(len(steps)), 2)
        for is_poor, sentence in POOR_ORDERS
        if is_poor(steps[first], steps[second])
    ]
