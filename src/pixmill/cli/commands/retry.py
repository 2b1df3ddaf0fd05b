"""``pixmill retry``: retries the failed images."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pixmill.batch.config.foreign_code import code_of
from pixmill.batch.config.hints import command_arguments
from pixmill.batch.config.models import Placement, RunConfig, Selection
from pixmill.batch.config.options import RUN, Option, options
from pixmill.batch.config.sanity import check_memory
from pixmill.batch.inspect.retries import last_runs, unfinished_runs
from pixmill.batch.inspect.status import check_code, open_ledgers, reset_failures
from pixmill.batch.planning.empty_source import no_images
from pixmill.batch.planning.plan import plan
from pixmill.batch.state.ledger_files import LedgerFile
from pixmill.cli.command import Command, declared
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import LEDGER, SELECTION, SHOW, FailureFilter, RunOutput, State
from pixmill.cli.options.report import ReportOptions
from pixmill.cli.options.run import PREVIOUS_DST, argument_value
from pixmill.cli.options.written_files import check_files
from pixmill.cli.session.code_consent import AllowedStep, Consent
from pixmill.cli.session.execute import execute_run
from pixmill.cli.session.relocated import relocated
from pixmill.cli.session.summary import brief
from pixmill.core.errors import ConfigError
from pixmill.core.humanize import plural
from pixmill.core.model import Model
from pixmill.core.units import ALL
from pixmill.engine.policy import Policy
from pixmill.imaging.limits import Limits
from pixmill.imaging.recipe import Recipe

UNCHANGEABLE = ("force", "on_upgrade")  # they are about images that are done


class Retry(Command):
    """Retry the failed images of DST.

    Repeats the last run with its configuration, only for the images that failed or that it left pending. Options that decide
    whether an image succeeds can be changed: ``--timeout 5m`` for images that took too long, ``--max-pixels 500MP`` for images
    that were too large, ``--allow-truncated`` for truncated ones; later retries keep them. The shards of a split run are processed
    one after another; ``--state DST/.pixmill/shard-3-of-16`` selects one. Name a ``python`` step of the last run, or the address
    of its cluster, again on the command line: pixmill does not run code that only the ledger names. A retry does not stop because
    of failures unless --max-failures is given.
    """

    arguments: ClassVar = (PREVIOUS_DST,)
    not_here: ClassVar = "a retry does what the last run did, so to change this run again with it: pixmill run SRC DST"
    examples: ClassVar = ("pixmill retry out", "pixmill retry out --code timeout --timeout 5m")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the filter, the options that may be changed, and those for monitoring a run."""
        changeable = {
            name: each for name, each in options().items() if (each.group == RUN or each.prevents) and name not in UNCHANGEABLE
        }
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
        report_options, consent = self.request.model(ReportOptions), Consent(self.console, self.request)
        code = self.request.model(FailureFilter).code
        self.console.waits.begin(lambda: f"reading the ledger of {destination}")
        with open_ledgers(destination, state) as ledgers:
            check_code(ledgers, code)
            runs = [
                (file, _with_changes(last, self.request.values, destination, file if state else None))
                for file, last in last_runs(ledgers)
            ]
            for _, config in runs:
                consent.require(code_of(config))
                check_files(config, output, report_options)
            consent.check_use(code for _, config in runs for code in code_of(config))
            pending = ledgers.counts().pending
            to_do = unfinished_runs(ledgers, runs, _prefixes, code=code)  # raises before anything is reset
            reset_count = reset_failures(ledgers, code=code)
            idle_code = ExitCode.SOME_FAILED if ledgers.counts().failed else ExitCode.DONE
        if not output.quiet:
            others = f", and processing {plural(pending, 'image')} that the last run left pending" if pending else ""
            work = f"retrying {plural(reset_count, 'failed image')}{others}"
            self.console.say(work if to_do else "there is nothing to retry")
        run_ends = []
        for _, config in to_do:
            run_ends.append(execute_run(config, output, report_options, self.console, only_unfinished=True))
            if run_ends[-1].code not in (ExitCode.DONE, ExitCode.SOME_FAILED):
                break
        if output.quiet:
            for line in brief(sum(each.failed for each in run_ends), command_arguments(destination, state)):
                self.console.say(line)
        stopped = [each.code for each in run_ends if each.code not in (ExitCode.DONE, ExitCode.SOME_FAILED)]
        return max(stopped or [each.code for each in run_ends], default=idle_code)


def _prefixes(config: RunConfig) -> set[bytes]:
    """Return the prefixes of the ledger's keys of images in the source of ``config``; ``ConfigError`` if it has no image now."""
    run_plan = plan(config)
    if next(run_plan.items(), None) is None and not run_plan.candidates:
        raise no_images(run_plan)
    return {run_plan.source_keys.prefixes[place] for place in run_plan.locations.source.places}


def _with_changes(config: RunConfig, values: Mapping[str, object], destination: str, moved: LedgerFile | None) -> RunConfig:
    """Return ``config`` for the current location of its outputs, with the limits and run options in ``values``.

    ``moved`` is its ledger if that is not in the default location.
    """

    def given(model: type[Model]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name in options() and options()[name].model is model}

    if config.selection.sample is not None:
        raise ConfigError("a sample cannot be retried", hint="repeat the command with --sample, which makes a new one")
    limits = config.recipe.limits.evolve(**given(Limits))
    run_values = {name: value for name, value in given(RunConfig).items() if name != "force"}
    if "executor" in run_values:
        run_values.setdefault("address", None)  # that of the cluster which the last run used
    repeated = relocated(config, destination, moved)
    policy = config.policy.evolve(**{"max_failures": ALL, **given(Policy)})  # what failed before may well fail again
    check_memory(policy)
    return repeated.evolve(
        selection=config.selection.evolve(**given(Selection)),
        placement=repeated.placement.evolve(**given(Placement)),
        policy=policy,
        recipe=config.recipe.evolve(limits=limits, **given(Recipe)),
        **run_values,
    )
