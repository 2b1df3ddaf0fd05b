"""Tell which finished images an index will not describe, since they were made by a run that wrote none."""

import json

from pixmill.batch.item import unpack
from pixmill.batch.planning.plan import Plan
from pixmill.core.humanize import plural
from pixmill.engine.ledger import Ledger
from pixmill.engine.task import State


def index_remarks(plan: Plan, ledger: Ledger) -> tuple[str, ...]:
    """Return a sentence about them, to show before a run of ``plan`` with an index; none if it makes them again.

    Reads the ledger once if an earlier run wrote no index.
    """
    if plan.config.force or all(_wrote_index(run.metadata) for run in ledger.runs()):
        return ()
    results = (unpack(record.result) for record in ledger.records(State.DONE))
    count = sum(any(output.traits is None for output in result.outputs) for result in results)
    if not count:
        return ()
    lacking = f"{plural(count, 'finished image')} from a run without --index"
    return (f"the index has no thumbhash, dominant_color, dhash and captured_at of {lacking}: --force makes them again",)


def _wrote_index(metadata: bytes) -> bool:
    try:
        return json.loads(metadata)["placement"]["index"] is not None
    except (ValueError, LookupError, TypeError):
        return False
