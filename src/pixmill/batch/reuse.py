"""Redo only the renditions that changed: what an earlier run made under the same terms is kept."""

from collections.abc import Callable, Iterable, Iterator

from pixmill.batch.item import Written, from_payload, mark, unpack, with_kept
from pixmill.engine.ledger import Ledger
from pixmill.engine.task import State, Task

#: tells whether an output is where it was written, for those that only the coordinator can find
Holds = Callable[[Written], bool]


def with_kept_outputs(
    tasks: Iterable[Task | None], ledger: Ledger, fingerprints: tuple[bytes, ...], *, holds: Holds | None = None
) -> Iterator[Task | None]:
    """Yield ``tasks``, each with those outputs on record that its renditions (by their ``fingerprints``) would make again.

    Whether they are still there is for the handler to see, unless ``holds`` is asked. ``None``, which says that there is nothing
    yet, goes through.
    """
    for task in tasks:
        (record,) = ledger.recall([task.key]) if task else (None,)
        if task and record and record.state is State.DONE and record.id != task.id:
            yield _with_kept(task, record.result, fingerprints, holds)
        else:
            yield task


def _with_kept(task: Task, result: bytes, fingerprints: tuple[bytes, ...], holds: Holds | None) -> Task:
    item = from_payload(task.payload)
    wanted = {mark(item, index, fingerprint) for index, fingerprint in enumerate(fingerprints)}
    kept = tuple(output for output in unpack(result).outputs if output.mark in wanted and (holds is None or holds(output)))
    return with_kept(task, kept, is_seen=holds is not None) if kept else task
