"""What a run looks at before it begins: names that others have, links in the way, a file system that cannot keep a name."""

from collections.abc import Iterator, Sequence

from pixmill.batch.item import from_payload
from pixmill.batch.outputs.name_conflicts import MAX_CHECKED, ConflictCounter, conflict_warnings
from pixmill.batch.planning.locations import Locations
from pixmill.batch.planning.plan import Plan
from pixmill.batch.state.unrecorded import unrecorded
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable
from pixmill.engine.ledger import Ledger
from pixmill.engine.task import Task
from pixmill.storage.local.rename import rename_method_in

__all__ = ["MAX_CHECKED", "is_near", "preflight_warnings"]


def is_near(places: Locations) -> bool:
    """Tell whether a thousand images may be looked at before a run begins: no store is asked for that."""
    return places.dataset is None and places.destination.local is not None and places.source_root.local is not None


def preflight_warnings(made: Plan, ledger: Ledger, first: Sequence[Task], *, committed: float) -> Iterator[str]:
    """Yield what must be known before a run of ``made`` that begins with the tasks ``first``.

    ``committed`` is when the ledger was last written to before this run.

    ``ConfigError`` where a name is another's and ``--existing refuse`` was asked for; then everything is looked at.
    """
    placement, destination = made.config.placement, made.places.destination
    if made.places.dataset is not None:
        return
    refuses = placement.existing == "refuse"
    spans = unrecorded(ledger.runs(), made.places.state, committed=committed)
    occupancy = ConflictCounter(destination, ledger, follow_links=placement.follow_output_links, unrecorded=spans)
    tasks = Plan(made.config, made.places).tasks() if refuses else first if is_near(made.places) else ()
    for task in tasks:
        occupancy.count(from_payload(task.payload), *ledger.get([task.key]))
    taken = occupancy.conflicts
    said = tuple(conflict_warnings(taken, placement.existing, is_all=refuses or len(first) < MAX_CHECKED))
    if refuses and taken.occupied:
        raise ConfigError(said[0], code="exists", hint="move these files away, or choose another DST or another --existing")
    yield from said
    if destination.local and _has_a_window(destination.location):
        yield (
            f"{printable(destination.location)} is on a file system without exclusive renames and hard links: a file that another "
            "program makes there under an output's name, at the very moment that the output gets it, is replaced"
        )


def _has_a_window(folder: bytes) -> bool:
    """Tell whether a name in ``folder`` is looked at before it is given; a disk that has no answer has its own message later."""
    try:
        return rename_method_in(folder) == "check"
    except OSError:
        return False
