"""Why a task failed: from the error that its handler raised, or from how its worker ended.

This module stays in the folder of the engine: frames of everything below that folder are cut out of the traces that users see.
"""

import errno
import os
import signal
import traceback

from pixmill.core.errors import AddressError, ConfigError, MissingExtra, PixmillError, RunError
from pixmill.core.units import Duration
from pixmill.engine.handler import Skip
from pixmill.engine.task import Failure

_TRANSIENT_ERRNOS = {
    errno.EIO,
    errno.ESTALE,
    errno.EAGAIN,
    errno.EMFILE,
    errno.ENFILE,
    errno.EINTR,
    errno.ETIMEDOUT,
    errno.ECONNRESET,
}
_MAX_TRACE = 4_000
_OWN_FRAMES = os.path.dirname(__file__)  # noqa: PTH120  # pathlib is slow to import in a worker
SKIPPED = "skipped"  # the code of a task that its handler leaves alone; the message is the reason
LIMIT_MEMORY = "limit-memory"  # the code of a task that needs more than its share


def failure_of(error: BaseException, stage: str) -> Failure:
    """Return the record of ``error``, raised while the handler was in ``stage``."""
    if isinstance(error, PixmillError):
        return Failure(
            code=error.code,
            stage=getattr(error, "stage", stage),
            message=error.message,
            hint=error.hint,
            retryable=error.retryable,
            fatal=isinstance(error, RunError) or _is_of_the_run(error),
        )
    if isinstance(error, Skip):
        return Failure(code=SKIPPED, stage=stage, message=error.reason)
    if isinstance(error, MemoryError):
        return Failure(code="out-of-memory", stage=stage, message="the worker ran out of memory", retryable=True)
    return Failure(
        code="handler",
        stage=stage,
        message=f"{type(error).__name__}: {error}",
        retryable=isinstance(error, OSError) and error.errno in _TRANSIENT_ERRNOS,
        trace=_trace(error),
    )


def _is_of_the_run(error: PixmillError) -> bool:
    """Tell whether ``error`` says that the work itself is set up wrongly here: no task is to blame, and none would succeed.

    A task may well have an address that makes no sense, or be of a kind that takes an extra.
    """
    return isinstance(error, ConfigError) and not isinstance(error, AddressError | MissingExtra)


def _trace(error: BaseException) -> str:
    """Return the traceback from the handler on, its end if it is long."""
    foreign = error.__traceback__
    while foreign and foreign.tb_next and foreign.tb_frame.f_code.co_filename.startswith(_OWN_FRAMES):
        foreign = foreign.tb_next
    lines = traceback.format_exception(type(error), error, foreign)
    return "".join(lines)[-_MAX_TRACE:]


def worker_died(status: int, *, stage: str, peak_rss: int, log: str) -> Failure:
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
        code=code, stage=stage, message=message, signal=number, peak_rss=peak_rss, trace=without_own_frames(log)[-_MAX_TRACE:]
    )


def deadline_exceeded(timeout: float, *, stage: str) -> Failure:
    """Return the failure for a task that was still in ``stage`` at its deadline."""
    where = f" in stage {stage}" if stage else ""
    message = f"still running{where} after {Duration(timeout)}"
    return Failure(code="timeout", stage=stage, message=message, signal=int(signal.SIGKILL))


def worker_stalled(seconds: float) -> Failure:
    """Return the failure of a worker that took no task for ``seconds`` although it had some."""
    return Failure(
        code="stalled",
        stage="",
        message=f"the worker process did nothing for {Duration(round(seconds))}",
        signal=int(signal.SIGKILL),
    )


def without_own_frames(log: str) -> str:
    """Return ``log`` without the frames of our own in a stack that ``faulthandler`` wrote (innermost first), and what follows."""
    before, ours, _ = log.partition(f'  File "{_OWN_FRAMES}')
    return before.rstrip() if ours else log


def signal_name(number: int) -> str:
    """Return the name of a signal, ``SIGSEGV``; its number where it has none (real-time signals)."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
