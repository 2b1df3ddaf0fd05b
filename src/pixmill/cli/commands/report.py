"""``pixmill report``: one page on what was done."""

from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.batch.options import Option
from pixmill.batch.report.writing import write_report
from pixmill.cli.asking import EARLIER_DST, word
from pixmill.cli.command import Command, declared
from pixmill.cli.exits import Exit
from pixmill.cli.reporting import Reporting
from pixmill.cli.showing import Output, State, asking
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

    arguments: ClassVar = (EARLIER_DST,)
    examples: ClassVar = ("pixmill report out", "pixmill report out -o report.html --quality-check 50")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of the page, and those of a command that asks about an earlier run."""
        return {**declared("The page", Page), **declared("The page", Reporting, without={"report", "profile"}), **asking()}

    def execute(self) -> int:
        """Read the ledger and write the page."""
        asked, state = self.request.model(Page), self.request.model(State).state
        path = Path(asked.output) if asked.output else None
        written = write_report(
            word(self.request, EARLIER_DST), state=state, path=path, check=self.request.model(Reporting).quality_check
        )
        if self.request.model(Output).json:
            self.console.record({"report": bytes(written)})
        else:
            self.console.result(printable(written))
        return Exit.DONE
