"""Find steps that will fail on images of the source, or enlarge them, from the headers of the first images.

A header can be as hostile as the rest of a file, so workers read it, in the same sandbox as those of a run.
"""

from collections.abc import Sequence

import msgspec

from pixmill.batch.item import Item
from pixmill.batch.planning.plan import Plan
from pixmill.batch.worker.confinement import is_local, reading_sandbox
from pixmill.batch.worker.options import HandlerOptions
from pixmill.batch.worker.preload import PRELOAD
from pixmill.batch.worker.reference import THREADS
from pixmill.core.units import TimeLimit
from pixmill.engine.handler import HandlerRef
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Done
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.step_sizes import depends_on_size, size_warnings

HANDLER = "pixmill.batch.worker.header_handler:header_handler"
LOCAL_SAMPLE_SIZE = 200  # images
REMOTE_SAMPLE_SIZE = 20  # images
HEADER_TIMEOUT = TimeLimit(10)
MAX_WORKERS = 2  # headers are small: starting a worker costs as much as reading a few hundred


def sample_size(plan: Plan) -> int:
    """Return how many images to check: none unless a step depends on the image size."""
    if not depends_on_size(plan.config.recipe):
        return 0
    return LOCAL_SAMPLE_SIZE if is_local(plan.handler_options) else REMOTE_SAMPLE_SIZE


def warnings(plan: Plan, items: Sequence[Item]) -> list[str]:
    """Return a sentence for each step that will fail on some of ``items`` or enlarge some; reads the headers of ``items``."""
    if not items:
        return []
    sizes = _sizes(plan, items)
    return size_warnings(plan.config.recipe, sizes) if sizes else []


def _sizes(plan: Plan, items: Sequence[Item]) -> list[Size]:
    """Return the sizes in the headers of ``items``, without those whose header cannot be read."""
    from pixmill.batch.worker.header_handler import size_of  # noqa: PLC0415  # imports the decoders, which most plans do not need

    workers = min(MAX_WORKERS, len(items))
    policy = Policy(attempts=1, timeout=HEADER_TIMEOUT)
    tasks = [plan.task(item) for item in items]
    with open_run(tasks, _handler(plan.handler_options), workers=workers, policy=policy) as run:
        return [size_of(outcome.result) for outcome in run if isinstance(outcome, Done)]


def _handler(handler_options: HandlerOptions) -> HandlerRef:
    """Return the handler, whose sandbox allows writing only temporary files."""
    options = msgspec.msgpack.encode(handler_options)
    return HandlerRef(HANDLER, options, preload=PRELOAD, threads=THREADS, confinement=reading_sandbox(handler_options))
