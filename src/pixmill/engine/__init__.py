"""Run any handler over any tasks: crash-proof, resumable, on every core. Independent of images and storage."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixmill.core.events import Event, Observer
    from pixmill.engine.events import TaskFinished, TaskRetried
    from pixmill.engine.executor import Executor
    from pixmill.engine.handler import Handler, HandlerRef, Stages
    from pixmill.engine.ledger import Ledger, Record
    from pixmill.engine.ledgers.sqlite import SqliteLedger
    from pixmill.engine.policy import Policy
    from pixmill.engine.runner import Run, open_run, run
    from pixmill.engine.task import Counts, Done, Failed, Failure, Outcome, Skipped, State, Task

__all__ = [
    "Counts",
    "Done",
    "Event",
    "Executor",
    "Failed",
    "Failure",
    "Handler",
    "HandlerRef",
    "Ledger",
    "Observer",
    "Outcome",
    "Policy",
    "Record",
    "Run",
    "Skipped",
    "SqliteLedger",
    "Stages",
    "State",
    "Task",
    "TaskFinished",
    "TaskRetried",
    "open_run",
    "run",
]

_MODULES = {
    "core.events": ("Event", "Observer"),
    "engine.events": ("TaskFinished", "TaskRetried"),
    "engine.executor": ("Executor",),
    "engine.handler": ("Handler", "HandlerRef", "Stages"),
    "engine.ledger": ("Ledger", "Record"),
    "engine.ledgers.sqlite": ("SqliteLedger",),
    "engine.policy": ("Policy",),
    "engine.runner": ("Run", "open_run", "run"),
    "engine.task": ("Counts", "Done", "Failed", "Failure", "Outcome", "Skipped", "State", "Task"),
}


if not TYPE_CHECKING:  # it would let every name pass

    def __getattr__(name: str) -> object:
        """Import a public name on first access: a worker needs few of them."""
        for module, names in _MODULES.items():
            if name in names:
                value = getattr(importlib.import_module(f"pixmill.{module}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__} has no attribute {name}")


def __dir__() -> list[str]:
    """List the public names, whether they have been used or not."""
    return [*__all__, "__doc__", "__file__", "__name__", "__path__"]
