"""The code that a configuration leads to: one that comes from a ledger is only run when its code is named once more.

Whoever may write to an output may write to its ledger. What is read there is data, and never a reason to import a file.
"""

import msgspec

from pixmill.batch.config.fingerprint import all_steps
from pixmill.batch.config.models import RunConfig
from pixmill.imaging.operation import Operation
from pixmill.imaging.recipe import Recipe


class Code(msgspec.Struct, frozen=True):
    """One thing that runs code which is not installed software: the ``option`` that names it, and its ``value`` there."""

    option: str
    value: str


def steps_of(recipe: Recipe) -> tuple[Code, ...]:
    """Return the steps of ``recipe`` that call a function of the user's own."""
    return tuple(dict.fromkeys(as_code(step) for step in all_steps(recipe) if step.runs_foreign_code))


def as_code(step: Operation) -> Code:
    """Return ``step`` as ``--step`` names it."""
    values = {key: value for key, value in step.to_builtins().items() if key != "operation" and value is not None}
    return Code("--step", f"{step.label()}:" + ",".join(f"{key}={value}" for key, value in values.items()))


def code_of(config: RunConfig) -> tuple[Code, ...]:
    """Return all code that a run of ``config`` leads to. A cluster is among it: what its nodes answer is believed."""
    return (*steps_of(config.recipe), *([Code("--address", config.address)] if config.address else []))
