"""Say why a worker died, from how the system says it ended."""

import os
import signal
from pathlib import Path

from pixmill.core.units import Duration
from pixmill.engine.task import Failure

_LONGEST_TRACE = 4_000
_OURS = str(Path(__file__).parent)


def death(status: int, *, stage: str, peak_rss: int, log: str) -> Failure:
    """Return the failure for a worker that ended with wait ``status`` while it was in ``stage``.

    A SIGKILL that we did not send comes from the kernel's OOM killer more often than from a person. ``log`` is what the
    worker wrote meanwhile.
    """
    code, number = "crash", 0
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        message = f"the worker process died of {signal_name(number)}"
        if number == signal.SIGKILL:
            code, message = "out-of-memory", "the worker process was killed (SIGKILL), probably for want of memory"
    else:
        message = f"the worker process exited with status {os.waitstatus_to_exitcode(status)}"
    return Failure(
        code=code, stage=stage, message=message, signal=number, peak_rss=peak_rss, trace=foreign_part(log)[-_LONGEST_TRACE:]
    )


def overdue(timeout: float, *, stage: str) -> Failure:
    """Return the failure for a task that was still in ``stage`` at its deadline."""
    where = f" in stage {stage}" if stage else ""
    message = f"still running{where} after {Duration(timeout)}"
    return Failure(code="timeout", stage=stage, message=message, signal=int(signal.SIGKILL))


def stalled(seconds: float) -> Failure:
    """Return the failure of a worker that took no task for ``seconds`` although it had some."""
    return Failure(
        code="stalled",
        stage="",
        message=f"the worker process did nothing for {Duration(round(seconds))}",
        signal=int(signal.SIGKILL),
    )


def foreign_part(log: str) -> str:
    """Return ``log`` without the frames of our own in a stack that ``faulthandler`` wrote (innermost first), and what follows."""
    before, ours, _ = log.partition(f'  File "{_OURS}')
    return before.rstrip() if ours else log


def signal_name(number: int) -> str:
    """Return the name of a signal, ``SIGSEGV``; its number where it has none (real-time signals)."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
