"""Run any handler over any tasks: crash-proof, resumable, on every core. Independent of images and storage."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixmill.engine.executor import Executor
    from pixmill.engine.handler import Handler, HandlerRef, Stages
    from pixmill.engine.ledger import Ledger, Record
    from pixmill.engine.policy import Policy
    from pixmill.engine.runner import Run, open_run, run
    from pixmill.engine.task import Counts, Done, Failed, Failure, Outcome, Skipped, State, Task

__all__ = [
    "Counts",
    "Done",
    "Executor",
    "Failed",
    "Failure",
    "Handler",
    "HandlerRef",
    "Ledger",
    "Outcome",
    "Policy",
    "Record",
    "Run",
    "Skipped",
    "Stages",
    "State",
    "Task",
    "open_run",
    "run",
]

_MODULES = {
    "executor": ("Executor",),
    "handler": ("Handler", "HandlerRef", "Stages"),
    "ledger": ("Ledger", "Record"),
    "policy": ("Policy",),
    "runner": ("Run", "open_run", "run"),
    "task": ("Counts", "Done", "Failed", "Failure", "Outcome", "Skipped", "State", "Task"),
}


if not TYPE_CHECKING:  # it would let every name pass

    def __getattr__(name: str) -> object:
        """Import a public name on first access: a worker needs few of them."""
        for module, names in _MODULES.items():
            if name in names:
                value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__} has no attribute {name}")


def __dir__() -> list[str]:
    """List the public names, whether they have been used or not."""
    return [*__all__, "__doc__", "__file__", "__name__", "__path__"]
