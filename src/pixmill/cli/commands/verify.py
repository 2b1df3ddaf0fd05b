"""``pixmill verify``: compares every output with the ledger."""

from typing import ClassVar

from pixmill.batch.config.options import Option
from pixmill.batch.inspect.status import open_ledgers
from pixmill.batch.inspect.verify import verify
from pixmill.cli.command import Command
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import CommonOutput, State, run_output_options
from pixmill.cli.options.run import PREVIOUS_DST, argument_value
from pixmill.core.humanize import plural
from pixmill.core.text import printable

PROBLEMS = {"missing": "missing", "size": "size differs", "content": "content differs"}


class Verify(Command):
    """Compare every output of DST with the ledger, byte for byte.

    Lists missing and changed outputs, and exits with 1 if there are any. The next run recreates outputs that are missing or
    differ in size; ``pixmill run --force`` recreates all of them.
    """

    arguments: ClassVar = (PREVIOUS_DST,)
    examples: ClassVar = ("pixmill verify out",)

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of a command about an earlier run."""
        return run_output_options()

    def execute(self) -> int:
        """Print every output that differs."""
        destination = argument_value(self.request, PREVIOUS_DST)
        as_json = self.request.model(CommonOutput).json
        count = 0
        with open_ledgers(destination, self.request.model(State).state) as ledger:
            for problem in verify(ledger, destination):
                count += 1
                if as_json:
                    self.console.record(problem)
                else:
                    self.console.result(f"{printable(problem.output)}: {PROBLEMS.get(problem.what, problem.what)}")
        if not as_json:
            self.console.say(f"{plural(count, 'output')} missing or changed" if count else "all outputs match the ledger")
        return ExitCode.SOME_FAILED if count else ExitCode.DONE
