"""``pixmill verify``: every output against the ledger."""

from typing import ClassVar

from pixmill.batch.config.options import Option
from pixmill.batch.inspect.status import open_state
from pixmill.batch.inspect.verify import verify
from pixmill.cli.command import Command
from pixmill.cli.exit_codes import Exit
from pixmill.cli.options.output import Output, State, asking
from pixmill.cli.options.run import EARLIER_DST, word
from pixmill.core.humanize import plural
from pixmill.core.text import printable

PROBLEMS = {"missing": "is not there", "size": "has another size", "content": "has other bytes"}


class Verify(Command):
    """Compare every output of DST with what was written.

    Lists the outputs that are missing or changed, and exits with 1 when there are any. The next run makes again those that
    are missing or have another size; ``pixmill run --force`` makes all again.
    """

    arguments: ClassVar = (EARLIER_DST,)
    examples: ClassVar = ("pixmill verify out",)

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of a command that asks about an earlier run."""
        return asking()

    def execute(self) -> int:
        """Compare, and print what differs."""
        destination = word(self.request, EARLIER_DST)
        as_json = self.request.model(Output).json
        count = 0
        with open_state(destination, self.request.model(State).state) as ledger:
            for problem in verify(ledger, destination):
                count += 1
                if as_json:
                    self.console.record(problem)
                else:
                    self.console.result(f"{printable(problem.output)}: {PROBLEMS.get(problem.what, problem.what)}")
        if not as_json:
            self.console.say(f"{plural(count, 'output')} differ from the ledger" if count else "every output is what was written")
        return Exit.SOME_FAILED if count else Exit.DONE
