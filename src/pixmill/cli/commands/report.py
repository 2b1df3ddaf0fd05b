"""``pixmill report``: writes the HTML report."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.batch.config.foreign_code import Code, steps_of
from pixmill.batch.config.options import Option
from pixmill.batch.inspect.status import find_state_folder, last_config, open_ledgers
from pixmill.batch.outputs.named_files import REPORT, NamedFile, states_of
from pixmill.batch.outputs.named_files import check as check_files
from pixmill.batch.report.write import write_report
from pixmill.cli.command import Command, declared
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import CommonOutput, State, run_output_options
from pixmill.cli.options.report import ReportOptions
from pixmill.cli.options.run import PREVIOUS_DST, argument_value
from pixmill.cli.session.code_consent import AllowedStep, Consent, naming
from pixmill.core.errors import ConfigError
from pixmill.core.model import Model
from pixmill.core.text import printable

REPORT_GROUP = "Report options"


class OutputOption(Model, frozen=True, kw_only=True):
    """The path of the report."""

    output: Annotated[
        str | None,
        Meta(
            description="write the report to this file (short: -o) instead of next to the ledger of DST",
            extra={"value": "FILE", "letter": "o"},
        ),
    ] = None


class Report(Command):
    """Write an HTML report on DST: numbers, failures, previews, charts.

    The report is generated from the ledger, and can be written again at any time, even during a run. It is a single file that
    opens from disk and makes no network requests. Prints the path of the report.
    """

    arguments: ClassVar = (PREVIOUS_DST,)
    examples: ClassVar = ("pixmill report out", "pixmill report out -o report.html --quality-check 50")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of the report, and those of a command about an earlier run."""
        return {
            **declared(REPORT_GROUP, OutputOption),
            **declared(REPORT_GROUP, ReportOptions, without={"report", "profile"}),
            **declared(REPORT_GROUP, AllowedStep),
            **run_output_options(),
        }

    def execute(self) -> int:
        """Write the report and print its path."""
        output, state = self.request.model(OutputOption).output, self.request.model(State).state
        path = Path(output) if output else None
        destination, check = argument_value(self.request, PREVIOUS_DST), self.request.model(ReportOptions).quality_check
        if path:
            self._check(path, destination, state)
        self.console.waits.begin(lambda: f"writing the report on {destination}")
        consent = Consent(self.console, self.request)
        allowed = self._allowed(destination, state, consent) if check else ()
        written = write_report(destination, state=state, path=path, check=check, allowed=allowed)
        if self.request.model(CommonOutput).json:
            self.console.record({"report": bytes(written)})
        else:
            self.console.result(printable(written))
        return ExitCode.DONE

    def _check(self, path: Path, destination: str, state: str | None) -> None:
        """Raise ``ConfigError`` if the report must not be written to ``path``."""
        folder = find_state_folder(destination, state)
        sources: tuple[str, ...] = ()
        with suppress(ConfigError), open_ledgers(destination, state) as ledgers:
            sources = last_config(ledgers).sources
        check_files([NamedFile("-o", path, REPORT)], sources=sources, states=states_of(folder))

    def _allowed(self, destination: str, state: str | None, consent: Consent) -> tuple[Code, ...]:
        """Return the code that the quality check may run; print a message and return nothing if consent is missing."""
        with open_ledgers(destination, state) as ledgers:
            used = steps_of(last_config(ledgers).recipe)
        missing = consent.missing(used)
        if missing:
            self.console.say("skipping the quality check: it would run code that only the ledger names")
            self.console.say(f"  to allow it: {naming(missing)}")
        return () if missing else used
