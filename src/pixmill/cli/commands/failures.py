"""``pixmill failures``: which images failed, and why."""

from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.batch.config.options import Option
from pixmill.batch.inspect.status import failures, open_ledgers
from pixmill.cli.command import Command, declared
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import CommonOutput, State, run_output_options
from pixmill.cli.options.run import PREVIOUS_DST, argument_value
from pixmill.core.model import Model
from pixmill.core.text import printable


class Choice(Model, frozen=True, kw_only=True):
    """Which failures."""

    code: Annotated[str | None, Meta(description="only failures with this code", extra={"value": "CODE"})] = None


class Failures(Command):
    """List the images of DST that failed, and why.

    One a line: path, code, what happened. ``pixmill explain CODE`` says what a code means.
    """

    arguments: ClassVar = (PREVIOUS_DST,)
    examples: ClassVar = ("pixmill failures out", "pixmill failures out --code timeout --json")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the choice, and the options of a command that asks about an earlier run."""
        return {**declared("Which ones", Choice), **run_output_options()}

    def execute(self) -> int:
        """Read the ledger and print its failures."""
        code, as_json = self.request.model(Choice).code, self.request.model(CommonOutput).json
        with open_ledgers(argument_value(self.request, PREVIOUS_DST), self.request.model(State).state) as ledger:
            for failed in failures(ledger, code=code):
                if as_json:
                    self.console.record(failed)
                else:
                    where = f" (node {printable(failed.failure.node)})" if failed.failure.node else ""
                    told = f"{failed.failure.code}: {printable(failed.failure.message)}{where}"
                    self.console.result(f"{printable(failed.path)}: {told}")
        return ExitCode.DONE
