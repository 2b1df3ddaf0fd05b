"""Start the fork server of a run before the imports of the command: both take about as long, and can run at the same time."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pixmill.batch.worker.preload import PRELOAD
from pixmill.core.operating_system import has_processes
from pixmill.engine.forkserver import prestart
from pixmill.engine.resources.cpu import usable_cores

POOL_COMMANDS = ("run", "retry", "report")
NO_POOL = ("-h", "--help", "--dry-run", "--executor")  # with these a run may need no pool; a config file is read only later


@contextmanager
def prestart_fork_server(line: Sequence[str], environment: Mapping[str, str]) -> Iterator[None]:
    """Pre-start a fork server for the duration of the block, if ``line`` looks like a run on this machine.

    A wrong guess costs one process, which is ended with the block.
    """
    may_lack_pool = any(word.startswith(NO_POOL) for word in line) or environment.get("PIXMILL_EXECUTOR")
    has_streams = None not in (sys.stdin, sys.stdout, sys.stderr)  # otherwise one of our files would get the stream's number
    try:
        if line and line[0] in POOL_COMMANDS and has_streams and not may_lack_pool and usable_cores() > 1 and has_processes():
            prestart.prestart(PRELOAD)
        yield
    finally:
        prestart.discard()
