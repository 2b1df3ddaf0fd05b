"""The foreign code that a configuration runs. If the configuration comes from a ledger, the user must name the code again.

Anyone who can write to an output can write to its ledger. Its content is data, and never a reason to import a file.
"""

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.imaging.operation import Operation
from pixmill.imaging.recipe import Recipe


class Code(msgspec.Struct, frozen=True):
    """One reference to code that is not installed software: the ``option`` that names it, and the ``value`` of that option."""

    option: str
    value: str


def steps_of(recipe: Recipe) -> tuple[Code, ...]:
    """Return the steps of ``recipe`` that call user-defined functions."""
    return tuple(dict.fromkeys(as_code(step) for step in recipe.all_steps() if step.runs_foreign_code))


def as_code(step: Operation) -> Code:
    """Return ``step`` in the notation of ``--step``."""
    return Code("--step", step.text())


def code_of(config: RunConfig) -> tuple[Code, ...]:
    """Return all foreign code that a run of ``config`` would use. This includes a cluster, since its nodes' answers are trusted."""
    return (*steps_of(config.recipe), *([Code("--address", config.address)] if config.address else []))
