"""How much memory a run may use, and how much of it each attempt gets."""

import mmap
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from pixmill.core.operating_system import physical_memory
from pixmill.engine.resources.cgroup import CGROUP_ROOT, read_number
from pixmill.engine.task import Attempt

#: bytes used by the coordinator and the fork server together, and by a worker before its first task
OVERHEAD, IDLE_WORKER = 130_000_000, 60_000_000
#: bytes that each worker should have where several share a core: enough for most images
BYTES_PER_WORKER = 512_000_000
_MIN_SHARE = 256_000_000  # bytes of each of many workers: with less, too many images have to wait until they are alone
_MIN_WORKERS = 4  # that are started however small their shares
_USABLE_SHARE = 0.8  # of the machine's memory; the rest is for the page cache and other programs


class MemoryBudget:
    """Divides ``total`` bytes (``None``: most of the machine's memory) among ``workers`` concurrent attempts."""

    def __init__(self, total: int | None, workers: int, *, held: int = 0, batch_size: int = 1) -> None:
        """Subtract the overhead; if nothing remains, each attempt gets a single byte, so that all are rejected.

        ``held``: the bytes that each worker holds, besides those of the ``batch_size`` attempts that it handles together.
        """
        self._batch_size = batch_size
        self._total = _available(total)
        self._held = held
        self.divide(workers)

    def divide(self, workers: int) -> None:
        """Divide among another number of ``workers``."""
        available = self._total - workers * self._held
        self._share = max(1, available // (workers * self._batch_size))
        #: bytes that an exclusive attempt may use, since all workers but its own are idle
        self.exclusive_limit = max(self._share, available - (workers - 1) * IDLE_WORKER)

    def with_share(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Return ``attempts``, each with its share of the memory."""
        return [replace(attempt, memory=self._share, exclusive=False) for attempt in attempts]

    def with_all(self, attempt: Attempt) -> Attempt:
        """Return ``attempt`` as an exclusive one with all of the memory."""
        return replace(attempt, memory=self.exclusive_limit, exclusive=True)


def workers_within_memory(cores: int, per_core: int, memory: int, *, held: int = 0) -> int:
    """Return how many workers to start on ``cores`` cores: ``per_core`` for each core if ``memory`` (bytes) allows it.

    ``held``: the bytes that each worker holds, besides those of an attempt.
    """
    return max(cores, min(per_core * cores, memory // (BYTES_PER_WORKER + held)))


def workers_with_memory(wanted: int, memory: int | None, *, held: int = 0) -> int:
    """Return how many of ``wanted`` workers can share ``memory`` bytes (``None``: most of the machine's memory).

    ``held`` as above: where workers hold much, there may be a single one.
    """
    return min(wanted, max(1 if held else _MIN_WORKERS, _available(memory) // (_MIN_SHARE + held)))


def _available(memory: int | None) -> int:
    """Return the bytes for workers: ``memory``, or most of the machine's, without the overhead."""
    return (memory or int(usable_memory() * _USABLE_SHARE)) - OVERHEAD


def usable_memory(cgroup: Path = CGROUP_ROOT) -> int:
    """Return the memory of this machine in bytes, or the limit of the control group (both versions) if that is lower."""
    limits = [read_number(cgroup / name) for name in ("memory.max", "memory/memory.limit_in_bytes")]
    return min([physical_memory(), *(limit for limit in limits if limit is not None)])


def resident_memory() -> int:
    """Return the resident memory of this process in bytes; its peak where the current value is not cheap to read."""
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123  # pathlib costs more than the read
            return int(statm.read().split()[1]) * mmap.PAGESIZE
    except OSError:
        import resource  # noqa: PLC0415  # not on Windows

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
