"""Consent to run code that a ledger names: given by naming the code on the command line, or by confirming a prompt."""

import shlex
import sys
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from pixmill.batch.config.foreign_code import Code, as_code
from pixmill.cli.command import Request
from pixmill.cli.console import Console
from pixmill.core.errors import ConfigError
from pixmill.core.model import Model
from pixmill.core.text import printable
from pixmill.imaging.operation import Operation


class AllowedStep(Model, frozen=True, kw_only=True):
    """The steps of the last run that may call user-defined functions."""

    step: Annotated[
        tuple[Operation, ...],
        Meta(description="allow this python step of the last run to run its code again (repeatable)"),
    ] = ()


class Consent:
    """The code that may be run: named by the options of ``request``, or confirmed at a prompt."""

    def __init__(self, console: Console, request: Request) -> None:
        """Grant the code that the options name; prompt for nothing yet. ``ConfigError`` for a step that is no code, as a flag."""
        named, address = request.values.get("step", ()), request.values.get("address")
        steps = [step for step in named if isinstance(step, Operation)] if isinstance(named, tuple) else []
        self._console = console
        self._granted = set(map(as_code, steps))
        self._typed = frozenset(self._granted if "step" in request.typed else ())
        for step in steps if self._typed else ():
            _check_is_code(step)
        if address:
            self._granted.add(Code("--address", str(address)))

    def missing(self, required: Iterable[Code]) -> list[Code]:
        """Return the code in ``required`` that may not be run; prompt first on a terminal."""
        missing = [code for code in dict.fromkeys(required) if code not in self._granted]
        if missing and sys.stdin.isatty() and self._confirm(missing):
            self._granted.update(missing)
            return []
        return missing

    def check_use(self, used: Iterable[Code]) -> None:
        """Raise ``ConfigError`` if a step was typed that is not among the code that the last runs ``used``."""
        if unused := self._typed.difference(used):
            raise ConfigError(f"the last run has no {_listed(unused)}", hint="leave it out: a retry does what the last run did")

    def require(self, required: Iterable[Code]) -> None:
        """Raise ``ConfigError`` with the command that gives consent, unless all of ``required`` may be run."""
        if missing := self.missing(required):
            raise ConfigError(
                f"the last run used {_listed(missing)}, and pixmill does not run code that only a ledger names",
                hint=f"if you trust it, name it on the command line: {naming(missing)}",
            )

    def _confirm(self, missing: list[Code]) -> bool:
        self._console.say(f"the last run used {_listed(missing)}. Run this code now? [y/N]")
        return sys.stdin.readline().strip().lower() in ("y", "yes")


def _check_is_code(step: Operation) -> None:
    if not step.runs_foreign_code:
        message = f"--step {printable(step.text())}: the steps of the last run cannot be changed, only its python steps be allowed"
        raise ConfigError(message, hint="to make outputs with other steps, run again with them: pixmill run SRC DST --step ...")


def naming(missing: Iterable[Code]) -> str:
    """Return the current command line, extended by the options that name the ``missing`` code."""
    return shlex.join(["pixmill", *sys.argv[1:], *(word for code in missing for word in (code.option, code.value))])


def _listed(codes: Iterable[Code]) -> str:
    return ", ".join(f"{code.option} {printable(code.value)}" for code in codes)
