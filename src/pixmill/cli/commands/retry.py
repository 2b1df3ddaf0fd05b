"""``pixmill retry``: try the failed images again."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from pixmill.batch.config.foreign_code import code_of
from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.options import LIMIT, RUN, Option, options
from pixmill.batch.datasets.dataset import with_former_packing
from pixmill.batch.inspect.status import last_config, last_configs, open_ledgers, reset_failures, unfinished
from pixmill.batch.state.combined_ledger import CombinedLedger
from pixmill.batch.state.ledger_files import LedgerFile
from pixmill.cli.command import Command, declared
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import SHOW, RunOutput, State
from pixmill.cli.options.report import ReportOptions
from pixmill.cli.options.run import PREVIOUS_DST, argument_value
from pixmill.cli.options.written_files import check_files
from pixmill.cli.session.code_consent import AllowedStep, Consent
from pixmill.cli.session.execute import execute_run
from pixmill.cli.session.summary import brief, place_of
from pixmill.core.humanize import plural
from pixmill.core.model import Model
from pixmill.engine.policy import Policy
from pixmill.imaging.limits import Limits


class Choice(Model, frozen=True, kw_only=True):
    """Which failures."""

    code: Annotated[str | None, Meta(description="only failures with this code", extra={"value": "CODE"})] = None


class Retry(Command):
    """Try the failed images of DST again.

    Runs what the last run was asked to do, with whatever it left undone. Limits and the way to run may be changed:
    ``--timeout 5m`` for images that took too long, ``--max-pixels 500MP`` for those that were too large. The shards of a run that
    was split are run one after the other; ``--state DST/.pixmill/shard-3-of-16`` names one. A ``python`` step of the last run, or
    the address of its cluster, must be named again: code is not run because a ledger names it.
    """

    arguments: ClassVar = (PREVIOUS_DST,)
    examples: ClassVar = ("pixmill retry out", "pixmill retry out --code timeout --timeout 5m")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the choice, what may be changed, and the options of showing a run."""
        changeable = {name: option for name, option in options().items() if option.group in (LIMIT, RUN) and name != "force"}
        return {
            **declared("Which ones", Choice),
            **declared("Where to look", State),
            **declared("What to run", AllowedStep),
            **changeable,
            **declared(SHOW, RunOutput, ReportOptions),
        }

    def execute(self) -> int:
        """Forget that they failed, and run."""
        destination, state = argument_value(self.request, PREVIOUS_DST), self.request.model(State).state
        showing = self.request.model(RunOutput)
        reporting, consent = self.request.model(ReportOptions), Consent(self.console, self.request.values)
        with open_ledgers(destination, state) as ledgers:
            for holding, former in last_configs(ledgers):
                consent.require(code_of(former))
                check_files(_changed(former, self.request.values, destination, holding if state else None), showing, reporting)
            forgotten = reset_failures(ledgers, code=self.request.model(Choice).code)
            left = list(unfinished(ledgers))
        if not showing.quiet:
            self.console.say(f"trying {plural(forgotten, 'image')} again")
        endings = []
        for holding in left:
            former = last_config(CombinedLedger([holding]))
            consent.require(code_of(former))
            config = _changed(former, self.request.values, destination, holding if state else None)
            endings.append(execute_run(config, showing, reporting, self.console))
            if endings[-1].code not in (ExitCode.DONE, ExitCode.SOME_FAILED):
                break
        if showing.quiet:
            for line in brief(sum(each.failed for each in endings), place_of(destination, state)):
                self.console.say(line)
        stopped = [each.code for each in endings if each.code not in (ExitCode.DONE, ExitCode.SOME_FAILED)]
        return max(stopped or [each.code for each in endings], default=ExitCode.DONE)


def _changed(config: RunConfig, values: Mapping[str, object], destination: str, moved: LedgerFile | None) -> RunConfig:
    """Return ``config`` for where its results are now, with what ``values`` change of limits and the way to run.

    ``moved`` is its ledger where that is not at its usual place.
    """

    def given(model: type[Model]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name in options() and options()[name].model is model}

    sharded = config.selection.shard.count > 1  # its ledger lies in a folder below the state that it was given
    state = str(moved.folder.parent if sharded else moved.folder) if moved else None
    return config.evolve(
        destination=with_former_packing(destination, config.destination),
        force=False,
        placement=config.placement.evolve(state=state),
        policy=config.policy.evolve(**given(Policy)),
        recipe=config.recipe.evolve(limits=config.recipe.limits.evolve(**given(Limits))),
        **{name: value for name, value in given(RunConfig).items() if name != "force"},
    )
