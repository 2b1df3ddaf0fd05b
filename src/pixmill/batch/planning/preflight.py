"""The checks before a run: output names taken by foreign files, symbolic links, file systems without exclusive renames."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from pixmill.batch.item import from_payload
from pixmill.batch.loose_files import LOCAL
from pixmill.batch.outputs.name_conflicts import MAX_CHECKED, ConflictCounter, conflict_warnings
from pixmill.batch.planning.locations import Locations
from pixmill.batch.planning.plan import Plan
from pixmill.batch.state.identity import FILE
from pixmill.batch.state.lock import has_locks
from pixmill.batch.state.unrecorded import unrecorded
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable
from pixmill.engine.ledger import Ledger
from pixmill.engine.task import State, Task
from pixmill.storage.local.file_times import can_set_times
from pixmill.storage.local.fsync import can_sync
from pixmill.storage.local.rename import rename_method_in

__all__ = ["MAX_CHECKED", "is_local", "preflight_warnings"]


def is_local(locations: Locations) -> bool:
    """Tell whether source and destination are local, so that checking a thousand images first costs no requests to a store."""
    is_source_local = locations.source_root.local is not None or locations.source_root == LOCAL
    return locations.dataset is None and locations.destination.local is not None and is_source_local


def preflight_warnings(plan: Plan, ledger: Ledger, first: Sequence[Task], *, committed: float) -> Iterator[str]:
    """Yield the warnings to show before a run of ``plan`` whose first tasks are ``first``.

    ``committed`` is when the ledger was last written to before this run, in seconds since the epoch.

    With ``--existing refuse`` all tasks are checked; ``ConfigError`` when a name is taken by a foreign file.
    """
    placement, destination = plan.config.placement, plan.locations.destination
    if plan.locations.dataset is not None or plan.locations.target is not None:
        return
    refuses = placement.existing == "refuse"
    spans = unrecorded(ledger.runs(), plan.locations.state, committed=committed)
    counter = ConflictCounter(destination, follow_links=placement.follow_output_links, unrecorded=spans)
    tasks = Plan(plan.config, plan.locations).tasks() if refuses else first if is_local(plan.locations) else ()
    for task in tasks:
        (record,) = ledger.get([task.key])
        is_done = record is not None and (record.id, record.state) == (task.id, State.DONE) and not plan.config.force
        counter.count(from_payload(task.payload), record, is_done=is_done)
    conflicts = counter.conflicts
    warnings = tuple(conflict_warnings(conflicts, placement.existing, is_all=refuses or len(first) < MAX_CHECKED))
    if refuses and conflicts.occupied:
        raise ConfigError(warnings[0], code="exists", hint="move these files away, or choose another DST or --existing value")
    yield from warnings
    if destination.local:
        own_file = os.fsencode(plan.locations.lock_folder / FILE)
        yield from _missing_features(
            destination.location, own_file, is_durable=placement.durability == "full", keeps_times="mtime" in placement.preserve
        )
    if destination.local and _can_race(destination.location, plan.tag):
        yield (
            f"{printable(destination.location)} is on a file system without exclusive renames and hard links: if another program "
            "creates a file under an output's name at the same moment, that file is replaced"
        )


def _missing_features(folder: bytes, own_file: bytes, *, is_durable: bool, keeps_times: bool) -> Iterator[str]:
    """Yield what the file system of ``folder``, with ``own_file`` of pixmill, cannot do; an error of the disk is reported later."""
    shown = printable(folder)
    with suppress(OSError):
        if is_durable and not can_sync(own_file, is_folder=False):
            yield (
                f"the file system of {shown} cannot make files durable (fsync): after a power failure, run the same command again "
                "with --checksum, which finds outputs that were lost"
            )
        elif is_durable and not can_sync(folder, is_folder=True):
            yield (
                f"the file system of {shown} cannot make names of files durable (fsync of a folder): after a power failure, run "
                "the same command again, which makes missing outputs again"
            )
    with suppress(OSError):
        if not has_locks(Path(os.fsdecode(own_file))):
            yield (
                f"the file system of {shown} has no locks (flock): a file with a heartbeat keeps other runs away, and does so for "
                "a minute after a run was killed on another machine"
            )
    with suppress(OSError):
        if keeps_times and not can_set_times(own_file):
            yield f"the file system of {shown} does not let times be set: --preserve mtime has no effect there"


def _can_race(folder: bytes, tag: str) -> bool:
    """Tell whether renames in ``folder`` check the target first and may race; an error of the disk is reported later."""
    try:
        return rename_method_in(folder, tag=tag) == "check"
    except OSError:
        return False
