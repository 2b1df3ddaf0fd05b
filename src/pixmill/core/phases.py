"""Work split into phases, so that several pieces of work can run phase by phase and share what each phase waits for."""

from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")

#: Work in progress: each ``next`` runs one phase, and the work is done, and has a result, when none is left. Closing it aborts it.
Phases = Generator[None, None, T]


def completed(work: Phases[T]) -> T:
    """Run all phases of ``work`` and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


def in_lockstep(works: Iterable[Phases[T]]) -> Phases[list[T]]:
    """Run the next phase of all ``works`` with each phase, and return their results; if one fails, the others are aborted."""
    unfinished = dict(enumerate(works))
    results: dict[int, T] = {}
    try:
        while unfinished:
            for index, work in list(unfinished.items()):
                try:
                    next(work)
                except StopIteration as end:
                    results[index] = end.value
                    del unfinished[index]
            if unfinished:
                yield
    finally:
        for work in unfinished.values():
            work.close()
    return [results[index] for index in sorted(results)]
