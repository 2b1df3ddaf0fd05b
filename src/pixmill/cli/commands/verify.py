"""``pixmill verify``: compares every output with the ledger, and makes again what is missing or was changed."""

from collections.abc import Collection
from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.batch.config.foreign_code import code_of
from pixmill.batch.config.hints import command_arguments
from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.options import Option, options
from pixmill.batch.inspect.retries import last_runs
from pixmill.batch.inspect.status import open_ledgers
from pixmill.batch.inspect.verify import verify
from pixmill.batch.outputs.repair import Repair
from pixmill.batch.state.combined_ledger import CombinedLedger
from pixmill.batch.state.ledger_files import LedgerFile
from pixmill.cli.command import Command, declared
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import LEDGER, SHOW, CommonOutput, RunOutput, State
from pixmill.cli.options.report import ReportOptions
from pixmill.cli.options.run import PREVIOUS_DST, argument_value
from pixmill.cli.session.code_consent import AllowedStep, Consent
from pixmill.cli.session.execute import execute_run
from pixmill.cli.session.relocated import relocated
from pixmill.core.errors import AddressError, ConfigError
from pixmill.core.humanize import plural
from pixmill.core.model import Model
from pixmill.core.text import printable
from pixmill.core.waits import Tally
from pixmill.engine.task import Counts

PROBLEMS = {"missing": "missing", "size": "size differs", "content": "content differs"}


class RepairOption(Model, frozen=True, kw_only=True):
    """What to do about outputs that differ."""

    repair: Annotated[bool, Meta(description="make missing and changed outputs again, replacing the existing files")] = False


class Verify(Command):
    """Compare every output of DST with the ledger, byte for byte.

    Lists missing and changed outputs, and reports how many images have no outputs to compare, because they have failed or are
    pending. With ``--repair``, makes missing and changed outputs again, with the last configuration of each source. The next run
    makes missing outputs again anyway, and leaves changed ones alone.

    Exit codes: 0 all images are done, and all outputs are as they were written; 1 outputs are missing or changed, or images have
    failed or are pending, as after a run or a retry; 2 invalid usage; 3 the environment stopped a repair.
    """

    arguments: ClassVar = (PREVIOUS_DST,)
    examples: ClassVar = ("pixmill verify out", "pixmill verify out --repair")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of a command about an earlier run, and those of a repair."""
        return {
            **declared("Repair options", RepairOption, AllowedStep),
            **{name: options()[name] for name in ("workers", "address")},
            **declared(LEDGER, State),
            **declared(SHOW, RunOutput),
        }

    def execute(self) -> int:
        """Print every output that differs, and repair them if requested."""
        destination = argument_value(self.request, PREVIOUS_DST)
        state = self.request.model(State).state
        repairs, consent = self.request.model(RepairOption).repair, Consent(self.console, self.request)
        sources: set[bytes] = set()
        configs: list[tuple[LedgerFile, RunConfig]] = []
        count, checked = 0, Tally()
        self.console.waits.begin(lambda: f"reading the ledger of {destination}")
        with open_ledgers(destination, state) as ledgers:
            if repairs:
                configs = self._configs(ledgers, destination, consent, is_moved=state is not None)
            counts = ledgers.counts()
            self.console.waits.begin(lambda: f"comparing outputs: {checked.count:,} so far, of {plural(counts.done, 'image')}")
            for problem in verify(ledgers, destination, checked):
                count += 1
                self._print(problem.output, problem.what, problem)
                if repairs:
                    sources.add(problem.source)
        self.console.waits.end()
        if not self.request.model(CommonOutput).json:
            self._summarise(count, counts, command_arguments(destination, state))
        is_complete = not counts.failed and not counts.pending
        if repairs and count:
            return self._repair(configs, sources) or (ExitCode.DONE if is_complete else ExitCode.SOME_FAILED)
        return ExitCode.DONE if is_complete and not count else ExitCode.SOME_FAILED

    def _configs(
        self, ledgers: CombinedLedger, destination: str, consent: Consent, *, is_moved: bool
    ) -> list[tuple[LedgerFile, RunConfig]]:
        """Return the configurations to repair with, after the consent to run code that they name."""
        changes = {name: value for name, value in self.request.values.items() if name in ("workers", "address")}
        configs = []
        for ledger_file, last in last_runs(ledgers):
            consent.require(code_of(last))
            configs.append((ledger_file, relocated(last, destination, ledger_file if is_moved else None).evolve(**changes)))
        return configs

    def _print(self, output: bytes, what: str, problem: object) -> None:
        if self.request.model(CommonOutput).json:
            self.console.record(problem)
        else:
            self.console.result(f"{printable(output)}: {PROBLEMS.get(what, what)}")

    def _summarise(self, count: int, counts: Counts, arguments: str) -> None:
        compared = f"the outputs of {plural(counts.done, 'image')}"
        self.console.say(f"{plural(count, 'output')} missing or changed of {compared}" if count else f"{compared} match the ledger")
        if counts.failed:
            self.console.say(f"{plural(counts.failed, 'image')} failed and cannot be compared: pixmill failures {arguments}")
        if counts.pending:
            self.console.say(f"{plural(counts.pending, 'image')} pending: repeat the run to process the rest")
        if counts.failed or counts.pending:
            self.console.say(f"images that are no longer in the source count until: pixmill prune {arguments}")

    def _repair(self, configs: list[tuple[LedgerFile, RunConfig]], sources: Collection[bytes]) -> int:
        """Make the outputs of ``sources`` again and return the exit code."""
        repair, output = Repair(sources), self.request.model(RunOutput)
        if not output.quiet:
            self.console.say(f"making the outputs of {plural(len(sources), 'image')} again")
        code: int = ExitCode.DONE
        for _, config in configs:
            try:
                code = max(code, execute_run(config, output, ReportOptions(), self.console, repair=repair).code)
            except ConfigError as error:
                if error.code != "no-images" and not (isinstance(error, AddressError) and len(configs) > 1):
                    raise
                self.console.say(error.message)
                continue
            if code not in (ExitCode.DONE, ExitCode.SOME_FAILED):
                return code
        if repair.gone:
            first = printable(min(repair.gone))
            more = ", ..." if len(repair.gone) > 1 else ""
            self.console.say(f"{plural(len(repair.gone), 'image')} cannot be made again, because the source is gone: {first}{more}")
            return ExitCode.SOME_FAILED
        return code
