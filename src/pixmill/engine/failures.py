"""Failure records: made from the error that a handler raised, or from the way its worker ended.

This module must stay in the engine's directory: stack frames from below that directory are removed from the traces that users see.
"""

import errno
import os
import signal
import traceback

from pixmill.core.errors import AddressError, ConfigError, MissingExtra, PixmillError, RunError, Skip
from pixmill.core.remedy import with_command
from pixmill.core.units import Duration
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
_MAX_TRACE_LENGTH = 4_000
_ENGINE_DIRECTORY = os.path.dirname(__file__)  # noqa: PTH120  # pathlib is slow to import in a worker
SKIPPED = "skipped"  # code of a task that its handler skipped; the message is the reason
DEFERRED = "deferred"  # code of a task about which the coordinator must decide first; its result is what the handler found
TIMEOUT_FACTOR = 5  # by which the hint about a timeout raises it
TIMEOUT = "timeout"  # code of a task that ran for longer than it may
LIMIT_MEMORY = "limit-memory"  # code of a task that needs more memory than it may use


def failure_of(error: BaseException, stage: str) -> Failure:
    """Return the failure record for ``error``, which the handler raised in ``stage``."""
    if isinstance(error, PixmillError):
        return Failure(
            code=error.code,
            stage=getattr(error, "stage", stage),
            message=error.message,
            hint=error.hint,
            options=error.options,
            retryable=error.retryable,
            retry_after=error.retry_after,
            fatal=isinstance(error, RunError) or _is_setup_error(error),
            evidence=dict(error.evidence),
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
        trace=_traceback_without_engine_frames(error),
    )


def _is_setup_error(error: PixmillError) -> bool:
    """Return whether ``error`` means that the run is misconfigured: no single task is to blame, and none would succeed.

    An invalid address or a missing extra is a problem of the one task.
    """
    return isinstance(error, ConfigError) and not isinstance(error, AddressError | MissingExtra)


def _traceback_without_engine_frames(error: BaseException) -> str:
    """Return the traceback from the handler's first frame on; the end of it if it is long."""
    frame = error.__traceback__
    while frame and frame.tb_next and frame.tb_frame.f_code.co_filename.startswith(_ENGINE_DIRECTORY):
        frame = frame.tb_next
    lines = traceback.format_exception(type(error), error, frame)
    return "".join(lines)[-_MAX_TRACE_LENGTH:]


def worker_died(status: int, *, stage: str, peak_rss: int, log: str) -> Failure:
    """Return the failure for a worker that ended with wait ``status`` in ``stage``.

    A SIGKILL that we did not send comes from the kernel's OOM killer more often than from a person. ``log`` is the output of the
    worker during the task.
    """
    code, number = "crash", 0
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        message = f"the worker process was terminated by {signal_name(number)}"
        if number == signal.SIGKILL:
            code, message = "out-of-memory", "the worker process was killed (SIGKILL), probably out of memory"
    else:
        message = f"the worker process exited with status {os.waitstatus_to_exitcode(status)}"
    trace = faulthandler_log_without_engine_frames(log)[-_MAX_TRACE_LENGTH:]
    return Failure(code=code, stage=stage, message=message, signal=number, peak_rss=peak_rss, trace=trace)


def deadline_exceeded(timeout: float, *, stage: str) -> Failure:
    """Return the failure for a task that was still running, in ``stage``, at its deadline."""
    where = f" in stage {stage}" if stage else ""
    message = f"still running{where} after {Duration(timeout)}"
    options: dict[str, bool | int | str] = {"timeout": str(Duration(round(timeout * TIMEOUT_FACTOR, 3)))}
    hint = with_command("to give it more time", options)
    return Failure(code=TIMEOUT, stage=stage, message=message, hint=hint, options=options, signal=int(signal.SIGKILL))


def worker_stalled(seconds: float) -> Failure:
    """Return the failure for a worker that started no task for ``seconds`` although it had some."""
    return Failure(
        code="stalled",
        stage="",
        message=f"the worker process made no progress for {Duration(round(seconds))}",
        signal=int(signal.SIGKILL),
    )


def faulthandler_log_without_engine_frames(log: str) -> str:
    """Return ``log``, a stack that ``faulthandler`` wrote (innermost frame first), up to the first frame of the engine."""
    handler_frames, engine_frame, _ = log.partition(f'  File "{_ENGINE_DIRECTORY}')
    return handler_frames.rstrip() if engine_frame else log


def signal_name(number: int) -> str:
    """Return the name of a signal, such as ``SIGSEGV``; its number if it has no name (real-time signals)."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
