"""``pixmill retry``: retries the failed images."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pixmill.batch.config.foreign_code import code_of
from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.options import LIMIT, RUN, Option, options
from pixmill.batch.datasets.dataset import with_former_packing
from pixmill.batch.inspect.status import check_code, last_config, last_configs, open_ledgers, reset_failures, unfinished
from pixmill.batch.state.combined_ledger import CombinedLedger
from pixmill.batch.state.ledger_files import LedgerFile
from pixmill.cli.command import Command, declared
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import LEDGER, SELECTION, SHOW, FailureFilter, RunOutput, State
from pixmill.cli.options.report import ReportOptions
from pixmill.cli.options.run import PREVIOUS_DST, argument_value
from pixmill.cli.options.written_files import check_files
from pixmill.cli.session.code_consent import AllowedStep, Consent
from pixmill.cli.session.execute import execute_run
from pixmill.cli.session.summary import brief, command_arguments
from pixmill.core.errors import ConfigError
from pixmill.core.humanize import plural
from pixmill.core.model import Model
from pixmill.core.units import ALL
from pixmill.engine.policy import Policy
from pixmill.imaging.limits import Limits


class Retry(Command):
    """Retry the failed images of DST.

    Repeats the last run with its configuration, including the images it left pending. Limits and run options can be changed:
    ``--timeout 5m`` for images that took too long, ``--max-pixels 500MP`` for images that were too large. The shards of a split
    run are processed one after another; ``--state DST/.pixmill/shard-3-of-16`` selects one. Name a ``python`` step of the last
    run, or the address of its cluster, again on the command line: pixmill does not run code that only the ledger names. A retry
    does not stop because of failures unless --max-failures is given.
    """

    arguments: ClassVar = (PREVIOUS_DST,)
    examples: ClassVar = ("pixmill retry out", "pixmill retry out --code timeout --timeout 5m")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the filter, the options that may be changed, and those for monitoring a run."""
        changeable = {name: option for name, option in options().items() if option.group in (LIMIT, RUN) and name != "force"}
        return {
            **declared(SELECTION, FailureFilter),
            **declared(LEDGER, State),
            **declared("Recipe options", AllowedStep),
            **changeable,
            **declared(SHOW, RunOutput, ReportOptions),
        }

    def execute(self) -> int:
        """Reset the failures, and run every ledger that has images left to process."""
        destination, state = argument_value(self.request, PREVIOUS_DST), self.request.model(State).state
        output = self.request.model(RunOutput)
        report_options, consent = self.request.model(ReportOptions), Consent(self.console, self.request.values)
        code = self.request.model(FailureFilter).code
        self.console.waits.begin(lambda: f"reading the ledger of {destination}")
        with open_ledgers(destination, state) as ledgers:
            check_code(ledgers, code)
            for ledger_file, last in last_configs(ledgers):
                consent.require(code_of(last))
                config = _with_changes(last, self.request.values, destination, ledger_file if state else None)
                check_files(config, output, report_options)
            pending = ledgers.counts().pending
            reset_count = reset_failures(ledgers, code=code)
            ledger_files = list(unfinished(ledgers))
        if not output.quiet:
            others = f", and processing {plural(pending, 'image')} that the last run left pending" if pending else ""
            self.console.say(f"retrying {plural(reset_count, 'failed image')}{others}")
        run_ends = []
        for ledger_file in ledger_files:
            last = last_config(CombinedLedger([ledger_file]))
            consent.require(code_of(last))
            config = _with_changes(last, self.request.values, destination, ledger_file if state else None)
            run_ends.append(execute_run(config, output, report_options, self.console))
            if run_ends[-1].code not in (ExitCode.DONE, ExitCode.SOME_FAILED):
                break
        if output.quiet:
            for line in brief(sum(each.failed for each in run_ends), command_arguments(destination, state)):
                self.console.say(line)
        stopped = [each.code for each in run_ends if each.code not in (ExitCode.DONE, ExitCode.SOME_FAILED)]
        return max(stopped or [each.code for each in run_ends], default=ExitCode.DONE)


def _with_changes(config: RunConfig, values: Mapping[str, object], destination: str, moved: LedgerFile | None) -> RunConfig:
    """Return ``config`` for the current location of its outputs, with the limits and run options in ``values``.

    ``moved`` is its ledger if that is not in the default location.
    """

    def given(model: type[Model]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name in options() and options()[name].model is model}

    if config.selection.sample is not None:
        raise ConfigError("a sample cannot be retried", hint="repeat the command with --sample, which makes a new one")
    sharded = config.selection.shard.count > 1  # its ledger is in a subfolder of the state folder
    state = str(moved.folder.parent if sharded else moved.folder) if moved else None
    return config.evolve(
        destination=with_former_packing(destination, config.destination),
        force=False,
        placement=config.placement.evolve(state=state),
        policy=config.policy.evolve(**{"max_failures": ALL, **given(Policy)}),  # what failed before may well fail again
        recipe=config.recipe.evolve(limits=config.recipe.limits.evolve(**given(Limits))),
        **{name: value for name, value in given(RunConfig).items() if name != "force"},
    )
