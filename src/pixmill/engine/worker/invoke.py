"""Call a handler for one task and turn whatever comes of it into an answer. Nothing that a handler raises gets past here."""

import errno
import os
import time
import traceback

from pixmill.core.errors import AddressError, ConfigError, LimitError, MissingExtra, PixmillError, RunError
from pixmill.core.steps import Steps
from pixmill.engine.handler import Handler, Skip, Stages, Unsettled
from pixmill.engine.task import Failure

_MAY_PASS = {errno.EIO, errno.ESTALE, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.EINTR, errno.ETIMEDOUT, errno.ECONNRESET}
_LONGEST_TRACE = 4_000
SKIPPED = "skipped"  # the code of a task that its handler leaves alone; the message is the reason
CROWDED = "limit-memory"  # the code of a task that needs more than its share


class StageClock(Stages):
    """Keeps the seconds that each stage of the task at hand took, and what the handler counted.

    The stage before the first ``enter`` has no name.
    """

    def __init__(self) -> None:
        """Start with no stage."""
        self.stage = ""
        self.memory = 0
        self._timings: dict[str, float] = {}
        self._measures: dict[str, int] = {}
        self._since = 0.0

    def enter(self, stage: str) -> None:
        """End the stage before and begin ``stage``."""
        now = time.perf_counter()
        if self.stage:
            self._timings[self.stage] = self._timings.get(self.stage, 0.0) + now - self._since
        self.stage = stage
        self._since = now

    def count(self, measure: str, amount: int) -> None:
        """Add ``amount`` to what the task at hand has counted under ``measure``."""
        self._measures[measure] = self._measures.get(measure, 0) + amount

    def claim(self, memory: int) -> None:
        """Raise ``LimitError`` when ``memory`` is more than the task at hand may use."""
        if self.memory and memory > self.memory:
            message = f"this needs about {memory / 1e6:,.0f} MB of memory, and may use {self.memory / 1e6:,.0f} MB"
            raise LimitError(message, code=CROWDED, hint="raise it with --memory, or use fewer --workers")

    def finish(self) -> tuple[dict[str, float], dict[str, int]]:
        """Return the seconds by stage and the counts, and be ready for the next task."""
        if self.stage:
            self.enter("")
        timings, self._timings = self._timings, {}
        measures, self._measures = self._measures, {}
        return timings, measures


def call(handler: Handler, payload: bytes, stages: StageClock) -> tuple[bytes | Unsettled, Failure | None]:
    """Return the handler's result, or an empty one and the failure."""
    try:
        result = handler(payload, stages)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # a handler that calls sys.exit() fails its task, not the worker
        return b"", failure_of(error, stages.stage)
    if not isinstance(result, bytes | Unsettled):
        kind = type(result).__name__
        return b"", Failure(code="handler", stage=stages.stage, message=f"the handler returned {kind}, expected bytes")
    return result, None


def advance(steps: Steps, stages: StageClock) -> tuple[bool, Failure | None]:
    """Take the next of the ``steps`` that settle a result; return whether there are more, and the failure."""
    try:
        next(steps)
    except StopIteration:
        return False, None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # as in ``call``
        return False, failure_of(error, stages.stage)
    return True, None


def complete(handler: Handler, payload: bytes, stages: StageClock) -> tuple[bytes, Failure | None]:
    """Return the handler's result once it is durable, or an empty one and the failure."""
    result, failure = call(handler, payload, stages)
    if isinstance(result, bytes):
        return result, failure
    steps, goes_on = result.settle(stages), True
    while goes_on:
        goes_on, failure = advance(steps, stages)
    return b"" if failure else result.result, failure


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
        retryable=isinstance(error, OSError) and error.errno in _MAY_PASS,
        trace=_trace(error),
    )


def _is_of_the_run(error: PixmillError) -> bool:
    """Tell whether ``error`` says that the work itself is set up wrongly here: no task is to blame, and none would succeed.

    A task may well have an address that makes no sense, or be of a kind that takes an extra.
    """
    return isinstance(error, ConfigError) and not isinstance(error, AddressError | MissingExtra)


def _trace(error: BaseException) -> str:
    """Return the traceback from the handler on, its end if it is long."""
    ours = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120  # pathlib is slow to import in a worker
    foreign = error.__traceback__
    while foreign and foreign.tb_next and foreign.tb_frame.f_code.co_filename.startswith(ours):
        foreign = foreign.tb_next
    lines = traceback.format_exception(type(error), error, foreign)
    return "".join(lines)[-_LONGEST_TRACE:]
