"""``pixmill verify``: every output against the ledger."""

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

PROBLEMS = {"missing": "is not there", "size": "has another size", "content": "has other bytes"}


class Verify(Command):
    """Compare every output of DST with what was written.

    Lists the outputs that are missing or changed, and exits with 1 when there are any. The next run makes again those that
    are missing or have another size; ``pixmill run --force`` makes all again.
    """

    arguments: ClassVar = (PREVIOUS_DST,)
    examples: ClassVar = ("pixmill verify out",)

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of a command that asks about an earlier run."""
        return run_output_options()

    def execute(self) -> int:
        """Compare, and print what differs."""
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
            self.console.say(f"{plural(count, 'output')} differ from the ledger" if count else "every output is what was written")
        return ExitCode.SOME_FAILED if count else ExitCode.DONE
