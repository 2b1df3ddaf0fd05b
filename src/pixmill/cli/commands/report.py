"""``pixmill report``: one page on what was done."""

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


class Page(Model, frozen=True, kw_only=True):
    """Where the page goes."""

    output: Annotated[
        str | None,
        Meta(description="write the page here (-o); if left out, beside DST's ledger", extra={"value": "FILE", "letter": "o"}),
    ] = None


class Report(Command):
    """Write one HTML page on DST: numbers, failures, pictures, charts.

    It is made from the ledger and can be made again at any time, also while a run is going on. Opens from disk and asks nothing
    of the network. Prints where it is.
    """

    arguments: ClassVar = (PREVIOUS_DST,)
    examples: ClassVar = ("pixmill report out", "pixmill report out -o report.html --quality-check 50")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of the page, and those of a command that asks about an earlier run."""
        return {
            **declared("The page", Page),
            **declared("The page", ReportOptions, without={"report", "profile"}),
            **declared("The page", AllowedStep),
            **run_output_options(),
        }

    def execute(self) -> int:
        """Read the ledger and write the page."""
        asked, state = self.request.model(Page), self.request.model(State).state
        path = Path(asked.output) if asked.output else None
        destination, check = argument_value(self.request, PREVIOUS_DST), self.request.model(ReportOptions).quality_check
        if path:
            self._check(path, destination, state)
        allowed = self._allowed(destination, state) if check else ()
        written = write_report(destination, state=state, path=path, check=check, allowed=allowed)
        if self.request.model(CommonOutput).json:
            self.console.record({"report": bytes(written)})
        else:
            self.console.result(printable(written))
        return ExitCode.DONE

    def _check(self, path: Path, destination: str, state: str | None) -> None:
        """Raise ``ConfigError`` when the page may not be written to ``path``."""
        folder = find_state_folder(destination, state)
        source = ""
        with suppress(ConfigError), open_ledgers(destination, state) as ledgers:
            source = last_config(ledgers).source
        check_files([NamedFile("-o", path, REPORT)], source=source, states=states_of(folder))

    def _allowed(self, destination: str, state: str | None) -> tuple[Code, ...]:
        """Return the code that measuring may run; say what is left out when it is not all that the last run used."""
        with open_ledgers(destination, state) as ledgers:
            used = steps_of(last_config(ledgers).recipe)
        left = Consent(self.console, self.request.values).missing(used)
        if left:
            self.console.say("likeness is not measured: it needs code, and code is not run because a ledger names it")
            self.console.say(f"  to measure it: {naming(left)}")
        return () if left else used
