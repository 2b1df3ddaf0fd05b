"""The exit codes of the command, all of them, and what each one tells a script."""

from enum import IntEnum
from signal import Signals


class ExitCode(IntEnum):
    """How the command ended. A code that is not listed here must be taken for a failure."""

    DONE = 0
    #: all that was asked for is done
    SOME_FAILED = 1
    #: the run finished, and some images failed; of ``verify``: some outputs are not what they were
    MISUSED = 2
    #: usage or configuration; nothing has run
    STOPPED = 3
    #: the environment stopped the run: disk full, output not writable, ledger lost
    INTERRUPTED = 130
    #: SIGINT; the run can be resumed
    TERMINATED = 143
    #: SIGTERM, or the terminal went away; the run can be resumed

    @classmethod
    def after(cls, signal: int) -> "ExitCode":
        """Return the code of a run that ``signal`` ended."""
        return cls.INTERRUPTED if signal == Signals.SIGINT else cls.TERMINATED
