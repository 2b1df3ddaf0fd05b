"""Add to a task the outputs of earlier runs, which can be reused, and whose names it may overwrite."""

from collections.abc import Callable, Iterable

import msgspec

from pixmill.batch.item import NameFacts, OutputRecord, unpack, with_former
from pixmill.engine.ledger import Record
from pixmill.engine.scheduling.admission import Revise
from pixmill.engine.task import Task

#: tells whether an output still exists, for outputs that only the coordinator can find
Contains = Callable[[OutputRecord], bool]


def with_reusable_outputs(*, force: bool, contains: Contains | None = None, keeps_names: bool = True) -> Revise:
    """Return a function that adds to a task its recorded outputs and, if it ``keeps_names``, what late names are made of.

    The handler checks whether they still exist, unless ``contains`` does. With ``force`` none of them is reused.
    """

    def revise(task: Task, record: Record) -> Task:
        former = recorded_outputs(record)
        if force:
            former = _without_fingerprints(former)
        if contains is not None:
            former = tuple(filter(contains, former))
        if record.is_new and not former:
            return task
        return with_former(task, former, is_verified=contains is not None, facts=_facts(record) if keeps_names else None)

    return revise


def _facts(record: Record) -> NameFacts | None:
    result = record.result or record.former
    return unpack(result).facts if result else None


def recorded_outputs(record: Record | None) -> tuple[OutputRecord, ...]:
    """Return every output in ``record``."""
    result = (record.result or record.former) if record else b""
    return unpack(result).recorded_outputs if result else ()


def _without_fingerprints(outputs: Iterable[OutputRecord]) -> tuple[OutputRecord, ...]:
    """Return ``outputs`` so that none is reused."""
    return tuple(msgspec.structs.replace(output, fingerprint=b"") for output in outputs)
