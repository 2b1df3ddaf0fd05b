"""Start the nursery of a run before anything is imported for it: the two take about as long, and need not wait for each other."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pixmill.batch.worker.preload import PRELOAD
from pixmill.engine.forkserver import prestart
from pixmill.engine.resources.cpu import usable_cores

POOL_COMMANDS = ("run", "retry", "report")
NO_POOL = ("-h", "--help", "--dry-run", "--executor")  # with these there may be none; where a file says so, it is found out later


@contextmanager
def prestart_fork_server(line: Sequence[str], environment: Mapping[str, str]) -> Iterator[None]:
    """Have a nursery laid by while the block lasts, if ``line`` looks like a run on this machine.

    A wrong guess costs a process, which is ended again.
    """
    is_elsewhere = any(word.startswith(NO_POOL) for word in line) or environment.get("PIXMILL_EXECUTOR")
    has_streams = None not in (sys.stdin, sys.stdout, sys.stderr)  # else a file of ours would get the number of one
    try:
        if line and line[0] in POOL_COMMANDS and has_streams and not is_elsewhere and usable_cores() > 1:
            prestart.prestart(PRELOAD)
        yield
    finally:
        prestart.discard()
