"""Call a handler for one task and turn whatever comes of it into an answer. Nothing that a handler raises gets past here."""

from pixmill.core.phases import Phases
from pixmill.engine.failures import failure_of
from pixmill.engine.handler import Handler, PendingResult
from pixmill.engine.task import Failure
from pixmill.engine.worker.stages import StageClock


def invoke(handler: Handler, payload: bytes, stages: StageClock) -> tuple[bytes | PendingResult, Failure | None]:
    """Return the handler's result, or an empty one and the failure."""
    try:
        result = handler(payload, stages)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # a handler that calls sys.exit() fails its task, not the worker
        return b"", failure_of(error, stages.stage)
    if not isinstance(result, bytes | PendingResult):
        kind = type(result).__name__
        return b"", Failure(code="handler", stage=stages.stage, message=f"the handler returned {kind}, expected bytes")
    return result, None


def advance(steps: Phases, stages: StageClock) -> tuple[bool, Failure | None]:
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


def invoke_and_commit(handler: Handler, payload: bytes, stages: StageClock) -> tuple[bytes, Failure | None]:
    """Return the handler's result once it is durable, or an empty one and the failure."""
    result, failure = invoke(handler, payload, stages)
    if isinstance(result, bytes):
        return result, failure
    steps, goes_on = result.commit(stages), True
    while goes_on:
        goes_on, failure = advance(steps, stages)
    return b"" if failure else result.result, failure
