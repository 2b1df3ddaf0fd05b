"""Work in steps: what is done several times over may wait together, after each step, for what all have to wait for."""

from collections.abc import Generator, Iterable
from itertools import zip_longest

#: Work under way: it does a step with each ``next``, and is done when there is none left. To close it is to give it up.
Phases = Generator[None, None, None]


def in_lockstep(works: Iterable[Phases]) -> Phases:
    """Take all ``works`` a step further with each step; when one fails, the others are given up."""
    under_way = list(works)
    try:
        for _ in zip_longest(*under_way):
            yield
    finally:
        for work in under_way:
            work.close()
