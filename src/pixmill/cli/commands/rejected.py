"""``pixmill rejected``: lists the images that a filter or a step has rejected."""

from collections import Counter
from typing import ClassVar

from pixmill.batch.config.options import Option
from pixmill.batch.inspect.status import open_ledgers, rejected
from pixmill.cli.command import Command
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import CommonOutput, State, run_output_options
from pixmill.cli.options.run import PREVIOUS_DST, argument_value
from pixmill.core.humanize import plural
from pixmill.core.text import printable


class Rejected(Command):
    """List the images of DST that were rejected, with the reason.

    An image is rejected by a filter (``--min-size``, ``--max-aspect``) or by a step of your own that raises ``pixmill.Skip``. It
    has no output, does not count as a failure, and is not tried again until it or the recipe changes.
    """

    arguments: ClassVar = (PREVIOUS_DST,)
    examples: ClassVar = ("pixmill rejected out", "pixmill rejected out --json")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of a command about an earlier run."""
        return run_output_options()

    def execute(self) -> int:
        """Print the rejected images in the ledger, then how many there are for each reason."""
        destination, as_json = argument_value(self.request, PREVIOUS_DST), self.request.model(CommonOutput).json
        counts: Counter[str] = Counter()
        self.console.waits.begin(lambda: f"reading the ledger of {destination}")
        with open_ledgers(destination, self.request.model(State).state) as ledger:
            for each in rejected(ledger):
                counts[each.reason] += 1
                if as_json:
                    self.console.record(each)
                else:
                    self.console.result(f"{printable(each.path)}: {each.reason}")
        if not as_json:
            for reason, count in counts.most_common():
                self.console.say(f"{reason}: {plural(count, 'image')}")
            if not counts:
                self.console.say("no rejected images")
        return ExitCode.DONE
