"""``pixmill failures``: lists the failed images and the cause of each failure."""

from collections import Counter
from typing import ClassVar

from msgspec.structs import replace

from pixmill.batch.config.hints import Hints, command_arguments, with_arguments
from pixmill.batch.config.options import Option
from pixmill.batch.inspect.status import check_code, failures, open_ledgers
from pixmill.cli.command import Command, declared
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import SELECTION, CommonOutput, FailureFilter, State, run_output_options
from pixmill.cli.options.run import PREVIOUS_DST, argument_value
from pixmill.core.humanize import plural
from pixmill.core.text import printable


class Failures(Command):
    """List the failed images of DST, with the cause of each failure.

    Prints one line per image: path, error code and message; then, once for each code, what to do about it. ``pixmill explain
    CODE`` describes an error code.
    """

    arguments: ClassVar = (PREVIOUS_DST,)
    examples: ClassVar = ("pixmill failures out", "pixmill failures out --code timeout --json")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the filter, and the options of a command about an earlier run."""
        return {**declared(SELECTION, FailureFilter), **run_output_options()}

    def execute(self) -> int:
        """Print the failures in the ledger."""
        code, as_json = self.request.model(FailureFilter).code, self.request.model(CommonOutput).json
        destination, state = argument_value(self.request, PREVIOUS_DST), self.request.model(State).state
        arguments = command_arguments(destination, state)
        counts: Counter[str] = Counter()
        hints = Hints()
        self.console.waits.begin(lambda: f"reading the ledger of {destination}")
        with open_ledgers(destination, state) as ledger:
            check_code(ledger, code)
            for failed in failures(ledger, code=code):
                counts[failed.failure.code] += 1
                hints.add(failed.failure)
                if as_json:
                    self.console.record(
                        replace(failed, failure=replace(failed.failure, hint=with_arguments(failed.failure.hint, arguments)))
                    )
                else:
                    node = f" (node {printable(failed.failure.node)})" if failed.failure.node else ""
                    cause = f"{failed.failure.code}: {printable(failed.failure.message)}{node}"
                    self.console.result(f"{printable(failed.path)}: {cause}")
        if not as_json:
            self._advise(counts, hints, arguments)
        return ExitCode.DONE

    def _advise(self, counts: Counter[str], hints: Hints, arguments: str) -> None:
        """Print what to do about each code, and how to retry."""
        for code, count in counts.most_common():
            self.console.say("; ".join([f"{code}: {plural(count, 'image')}", *map(printable, hints.of(code, arguments))]))
        self.console.say(f"To retry them: pixmill retry {arguments}" if counts else "no failed images")
