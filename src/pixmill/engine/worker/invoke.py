"""Call a handler for one task and turn the outcome into a result or a failure. No exception of a handler passes this module."""

from pixmill.core.errors import Skip
from pixmill.core.phases import Phases
from pixmill.engine.failures import DEFERRED, failure_of
from pixmill.engine.handler import Deferred, Handler, PendingResult
from pixmill.engine.task import Failure
from pixmill.engine.worker.stages import StageClock


def invoke(handler: Handler, payload: bytes, stages: StageClock) -> tuple[bytes | PendingResult, Failure | None]:
    """Return the handler's result and no failure, or the failure.

    A skipped task may then have a result as well. A deferred one has what the handler found, and the code ``DEFERRED``.
    """
    try:
        result = handler(payload, stages)
    except KeyboardInterrupt:
        raise
    except Skip as skip:
        return skip.result, failure_of(skip, stages.stage)
    except BaseException as error:  # noqa: BLE001  # a handler that calls sys.exit() fails its task, not the worker
        return b"", failure_of(error, stages.stage)
    if isinstance(result, Deferred):
        return result.finding, Failure(code=DEFERRED, stage=stages.stage, message="")
    if not isinstance(result, bytes | PendingResult):
        kind = type(result).__name__
        return b"", Failure(code="handler", stage=stages.stage, message=f"the handler returned {kind}, expected bytes")
    return result, None


def advance(steps: Phases[bytes], stages: StageClock) -> tuple[bytes | None, Failure | None]:
    """Run the next of the ``steps`` that commit a result; return the result, ``None`` if there are more, and the failure if any."""
    try:
        next(steps)
    except StopIteration as end:
        return end.value, None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # as in ``invoke``
        return b"", failure_of(error, stages.stage)
    return None, None


def invoke_and_commit(handler: Handler, payload: bytes, stages: StageClock) -> tuple[bytes, Failure | None]:
    """Return the handler's result once it is durable, or an empty result and the failure."""
    result, failure = invoke(handler, payload, stages)
    if isinstance(result, bytes):
        return result, failure
    steps, committed = result.commit(stages), None
    while committed is None:
        committed, failure = advance(steps, stages)
    return committed, failure
