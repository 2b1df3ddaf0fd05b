"""Code that only a ledger names: it is run when the same command line names it too, or when somebody at a terminal says so."""

import shlex
import sys
from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Meta

from pixmill.batch.config.foreign_code import Code, as_code
from pixmill.cli.console import Console
from pixmill.core.errors import ConfigError
from pixmill.core.model import Model
from pixmill.core.text import printable
from pixmill.imaging.operation import Operation


class AllowedStep(Model, frozen=True, kw_only=True):
    """Which steps of the last run may call functions of the user's own."""

    step: Annotated[
        tuple[Operation, ...],
        Meta(description="python step of the last run, named again so that its code is run (repeatable)"),
    ] = ()


class Consent:
    """What code may be run: what ``values``, the options of this command line, name, and what somebody has agreed to."""

    def __init__(self, console: Console, values: Mapping[str, object]) -> None:
        """Ask nothing yet."""
        steps, address = values.get("step", ()), values.get("address")
        self._console = console
        self._granted = {as_code(step) for step in steps if isinstance(step, Operation)} if isinstance(steps, tuple) else set()
        if address:
            self._granted.add(Code("--address", str(address)))

    def missing(self, wanted: Iterable[Code]) -> list[Code]:
        """Return what of ``wanted`` may not be run as yet; on a terminal, ask first."""
        left = [code for code in dict.fromkeys(wanted) if code not in self._granted]
        if left and sys.stdin.isatty() and self._agrees(left):
            self._granted.update(left)
            return []
        return left

    def require(self, wanted: Iterable[Code]) -> None:
        """Raise ``ConfigError`` with the command to type unless all of ``wanted`` may be run."""
        if left := self.missing(wanted):
            raise ConfigError(
                f"the last run used {_listed(left)}, and code is not run because a ledger names it",
                hint=f"if you know it, name it here, too: {naming(left)}",
            )

    def _agrees(self, left: list[Code]) -> bool:
        self._console.say(f"the last run used {_listed(left)}: run that code now? [y/N]")
        return sys.stdin.readline().strip().lower() in ("y", "yes")


def naming(left: Iterable[Code]) -> str:
    """Return this very command with what is ``left`` to name."""
    return shlex.join(["pixmill", *sys.argv[1:], *(word for code in left for word in (code.option, code.value))])


def _listed(codes: Iterable[Code]) -> str:
    return ", ".join(f"{code.option} {printable(code.value)}" for code in codes)
