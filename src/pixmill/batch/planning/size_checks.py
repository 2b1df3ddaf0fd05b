"""Which steps will fail on images of the source, and which enlarge them: told from the headers of the first of them.

A header is as hostile as the rest of a file, so that workers read it, confined as those of a run.
"""

import tempfile
from collections.abc import Sequence

import msgspec

from pixmill.batch.item import Item, to_task
from pixmill.batch.planning.plan import Plan
from pixmill.batch.worker.options import HandlerOptions
from pixmill.batch.worker.preload import PRELOAD
from pixmill.batch.worker.reference import THREADS, is_local
from pixmill.core.units import Duration
from pixmill.engine.handler import HandlerRef
from pixmill.engine.policy import Policy
from pixmill.engine.resources.sandbox import Sandbox
from pixmill.engine.runner import open_run
from pixmill.engine.task import Done
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.step_sizes import depends_on_size, size_warnings

HANDLER = "pixmill.batch.worker.header_handler:header_handler"
LOOKED_AT = 200  # images
LOOKED_AT_ELSEWHERE = 20  # images that are not on this machine
TIMEOUT = Duration(10)  # for a header
MOST_WORKERS = 2  # headers are small, and to start a worker costs as much as a few hundred of them


def wanted(plan: Plan) -> int:
    """Return how many images to look at: none unless a step depends on their size."""
    if not depends_on_size(plan.config.recipe):
        return 0
    return LOOKED_AT if is_local(plan.assignment) else LOOKED_AT_ELSEWHERE


def warnings(plan: Plan, items: Sequence[Item]) -> list[str]:
    """Return a sentence for every step that will fail on some of ``items``, or that enlarges some; headers are read for it."""
    if not items:
        return []
    found = _sizes(plan, items)
    return size_warnings(plan.config.recipe, found) if found else []


def _sizes(plan: Plan, items: Sequence[Item]) -> list[Size]:
    """Return the sizes that the headers of ``items`` tell; one that cannot be read has none."""
    from pixmill.batch.worker.header_handler import size_of  # noqa: PLC0415  # it brings the decoders, which most plans do without

    workers = min(MOST_WORKERS, len(items))
    policy = Policy(attempts=1, timeout=TIMEOUT)
    tasks = [to_task(item, plan.fingerprint) for item in items]
    with open_run(tasks, _handler(plan.assignment), workers=workers, policy=policy) as run:
        return [size_of(outcome.result) for outcome in run if isinstance(outcome, Done)]


def _handler(assignment: HandlerOptions) -> HandlerRef:
    """Return the handler, which writes nothing but what libvips puts aside."""
    confinement = Sandbox((tempfile.gettempdirb(),), network=not is_local(assignment))
    options = msgspec.msgpack.encode(assignment)
    return HandlerRef(HANDLER, options, preload=PRELOAD, threads=THREADS, confinement=confinement)
