"""Compare how finished outputs were made with how they would be made now: with which libraries, from which content."""

import re
from collections import Counter
from collections.abc import Mapping

from pixmill.batch.config.models import RunConfig
from pixmill.batch.item import source_changed_at, unpack, unpack_origin
from pixmill.engine.ledger import LedgerView, Record
from pixmill.engine.scheduling.admission import StillValid
from pixmill.engine.task import State, Task
from pixmill.imaging.version import toolset

_REVISION = re.compile(r"\Apixmill (\d+)\Z")  # which is not the version that people install
UNKNOWN = "versions that were not recorded"


class Origins:
    """Tells which outputs were made by other libraries than the present ones, and which sources have to be compared by content."""

    def __init__(
        self, toolsets: Mapping[int, str], present: str, *, on_upgrade: str, checksum: bool, has_change_times: bool
    ) -> None:
        """Take the ``toolsets`` of the ledger, and the text of the ``present`` one."""
        self._toolsets = toolsets
        self._present = present
        self._is_remaking = on_upgrade == "remake"
        self._checksum = checksum
        self._has_change_times = has_change_times
        self._older: Counter[int] = Counter()
        self._current = frozenset(number for number, text in toolsets.items() if text == present)

    @property
    def older(self) -> dict[str, int]:
        """Return the number of images found so far that other libraries made, by the versions that differ."""
        return by_difference(self._older, self._toolsets, self._present)

    def is_outdated(self, toolset: int) -> bool:
        """Tell whether outputs of this ``toolset`` are to be made again."""
        return self._is_remaking and toolset not in self._current

    def checked(self, still_valid: StillValid, *, compared: bool | str = False) -> StillValid:
        """Return a function that tells whether a record is ``still_valid`` and, if its task is done, up to date.

        It returns ``compared`` if only reading the source can tell.
        """

        def is_valid(task: Task, record: Record) -> bool | str:
            holds = still_valid(task, record)
            if holds is not True or record.state is not State.DONE:
                return holds
            result = unpack(record.result)
            if result.toolset not in self._current:
                self._older[result.toolset] += 1
                if self._is_remaking:
                    return False
            if self._checksum:
                return compared
            if self._has_change_times and result.source.has_other_change_time(source_changed_at(task.payload)):
                return compared
            return True

        return is_valid


def origins_of(ledger: LedgerView, config: RunConfig, *, has_change_times: bool) -> Origins:
    """Return how the outputs in ``ledger`` compare with those that ``config`` would make now."""
    return Origins(
        ledger.toolsets(),
        toolset(),
        on_upgrade=config.on_upgrade,
        checksum=config.selection.checksum,
        has_change_times=has_change_times,
    )


def made_by_others(ledger: LedgerView) -> dict[str, int]:
    """Return how many finished images were made by other libraries, by the versions that differ from the present ones.

    Reads every row only if the ledger knows of several sets of libraries.
    """
    toolsets, present = ledger.toolsets(), toolset()
    if set(toolsets.values()) <= {present}:
        return {}
    if len(toolsets) == 1:
        done = ledger.counts().done
        return by_difference(dict.fromkeys(toolsets, done), toolsets, present) if done else {}
    counts = Counter(unpack_origin(record.result)[0] for record in ledger.records(State.DONE))
    return by_difference(counts, toolsets, present)


def by_difference(counts: Mapping[int, int], toolsets: Mapping[int, str], present: str) -> dict[str, int]:
    """Return the ``counts`` of images by set of libraries as counts by what differs from the ``present`` set, most first."""
    totals: Counter[str] = Counter()
    for number, count in counts.items():
        text = toolsets.get(number, "")
        if text != present:
            totals[difference(text, present)] += count
    return dict(totals.most_common())


def difference(versions: str, present: str) -> str:
    """Return those of ``versions`` that are not among the ``present`` ones."""
    if not versions:
        return UNKNOWN
    then, now = versions.split(", "), present.split(", ")
    names = {each.rpartition(" ")[0] for each in then}
    others = [_REVISION.sub(r"revision \1 of pixmill's processing", each) for each in then if each not in now]
    missing = [f"no {name}" for each in now if (name := each.rpartition(" ")[0]) not in names]
    return ", ".join([*others, *missing])
