"""``pixmill verify``: compares every output with the ledger."""

from typing import ClassVar

from pixmill.batch.config.options import Option
from pixmill.batch.inspect.status import open_ledgers
from pixmill.batch.inspect.verify import verify
from pixmill.cli.command import Command
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import CommonOutput, State, run_output_options
from pixmill.cli.options.run import PREVIOUS_DST, argument_value
from pixmill.cli.session.summary import command_arguments
from pixmill.core.humanize import plural
from pixmill.core.text import printable
from pixmill.core.waits import Tally

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
        state = self.request.model(State).state
        count, checked = 0, Tally()
        self.console.waits.begin(lambda: f"reading the ledger of {destination}")
        with open_ledgers(destination, state) as ledger:
            counts = ledger.counts()
            self.console.waits.begin(lambda: f"comparing outputs: {checked.count:,} so far, of {plural(counts.done, 'image')}")
            for problem in verify(ledger, destination, checked):
                count += 1
                if as_json:
                    self.console.record(problem)
                else:
                    self.console.result(f"{printable(problem.output)}: {PROBLEMS.get(problem.what, problem.what)}")
        self.console.waits.end()
        if not as_json:
            compared = f"the outputs of {plural(counts.done, 'image')}"
            self.console.say(
                f"{plural(count, 'output')} missing or changed of {compared}" if count else f"{compared} match the ledger"
            )
            if counts.failed:
                see = f"pixmill failures {command_arguments(destination, state)}"
                self.console.say(f"{plural(counts.failed, 'image')} failed and cannot be compared: {see}")
            if counts.pending:
                self.console.say(f"{plural(counts.pending, 'image')} pending: repeat the run to process the rest")
        return ExitCode.SOME_FAILED if count else ExitCode.DONE
