"""``pixmill retry``: try the failed images again."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from pixmill.batch.config.foreign_code import code_of
from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.options import LIMIT, RUN, Option, options
from pixmill.batch.datasets.dataset import as_before
from pixmill.batch.inspect.status import forget_failures, last_config, last_configs, open_state, unfinished
from pixmill.batch.state.combined_ledger import Ledgers
from pixmill.batch.state.ledger_files import Holding
from pixmill.cli.command import Command, declared
from pixmill.cli.exit_codes import Exit
from pixmill.cli.options.output import SHOW, Showing, State
from pixmill.cli.options.report import Reporting
from pixmill.cli.options.run import EARLIER_DST, word
from pixmill.cli.options.written_files import check_files
from pixmill.cli.session.code_consent import Consent, Named
from pixmill.cli.session.execute import conduct
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

    arguments: ClassVar = (EARLIER_DST,)
    examples: ClassVar = ("pixmill retry out", "pixmill retry out --code timeout --timeout 5m")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the choice, what may be changed, and the options of showing a run."""
        changeable = {name: option for name, option in options().items() if option.group in (LIMIT, RUN) and name != "force"}
        return {
            **declared("Which ones", Choice),
            **declared("Where to look", State),
            **declared("What to run", Named),
            **changeable,
            **declared(SHOW, Showing, Reporting),
        }

    def execute(self) -> int:
        """Forget that they failed, and run."""
        destination, state = word(self.request, EARLIER_DST), self.request.model(State).state
        showing = self.request.model(Showing)
        reporting, consent = self.request.model(Reporting), Consent(self.console, self.request.values)
        with open_state(destination, state) as ledgers:
            for holding, former in last_configs(ledgers):
                consent.require(code_of(former))
                check_files(_changed(former, self.request.values, destination, holding if state else None), showing, reporting)
            forgotten = forget_failures(ledgers, code=self.request.model(Choice).code)
            left = list(unfinished(ledgers))
        if not showing.quiet:
            self.console.say(f"trying {plural(forgotten, 'image')} again")
        endings = []
        for holding in left:
            former = last_config(Ledgers([holding]))
            consent.require(code_of(former))
            config = _changed(former, self.request.values, destination, holding if state else None)
            endings.append(conduct(config, showing, reporting, self.console))
            if endings[-1].code not in (Exit.DONE, Exit.SOME_FAILED):
                break
        if showing.quiet:
            for line in brief(sum(each.failed for each in endings), place_of(destination, state)):
                self.console.say(line)
        stopped = [each.code for each in endings if each.code not in (Exit.DONE, Exit.SOME_FAILED)]
        return max(stopped or [each.code for each in endings], default=Exit.DONE)


def _changed(config: RunConfig, values: Mapping[str, object], destination: str, moved: Holding | None) -> RunConfig:
    """Return ``config`` for where its results are now, with what ``values`` change of limits and the way to run.

    ``moved`` is its ledger where that is not at its usual place.
    """

    def given(model: type[Model]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name in options() and options()[name].model is model}

    sharded = config.selection.shard.count > 1  # its ledger lies in a folder below the state that it was given
    state = str(moved.folder.parent if sharded else moved.folder) if moved else None
    return config.evolve(
        destination=as_before(destination, config.destination),
        force=False,
        placement=config.placement.evolve(state=state),
        policy=config.policy.evolve(**given(Policy)),
        recipe=config.recipe.evolve(limits=config.recipe.limits.evolve(**given(Limits))),
        **{name: value for name, value in given(RunConfig).items() if name != "force"},
    )
