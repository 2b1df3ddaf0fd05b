"""Work split into phases, so that several pieces of work can run phase by phase and share what each phase waits for."""

from collections.abc import Generator, Iterable
from itertools import zip_longest

#: Work in progress: each ``next`` runs one phase, and the work is done when none is left. Closing it aborts the work.
Phases = Generator[None, None, None]


def in_lockstep(works: Iterable[Phases]) -> Phases:
    """Run the next phase of all ``works`` with each phase; if one fails, the others are aborted."""
    unfinished = list(works)
    try:
        for _ in zip_longest(*unfinished):
            yield
    finally:
        for work in unfinished:
            work.close()
