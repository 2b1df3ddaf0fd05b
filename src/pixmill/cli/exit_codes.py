"""All exit codes of the command, and their meaning for a script."""

from enum import IntEnum
from signal import Signals


class ExitCode(IntEnum):
    """How the command ended. A script must treat any other code as a failure."""

    DONE = 0
    #: everything requested is done
    SOME_FAILED = 1
    #: the run finished, but some images failed; from ``verify``: some outputs are missing or changed
    MISUSED = 2
    #: invalid usage or configuration, or a source without images; nothing ran
    STOPPED = 3
    #: the run was stopped: disk full, output not writable, ledger lost, too many failures
    INTERRUPTED = 130
    #: SIGINT; the run can be resumed
    TERMINATED = 143
    #: SIGTERM, or the terminal closed; the run can be resumed

    @classmethod
    def after(cls, signal: int) -> "ExitCode":
        """Return the code of a run that ``signal`` ended."""
        return cls.INTERRUPTED if signal == Signals.SIGINT else cls.TERMINATED
