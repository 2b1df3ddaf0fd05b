"""``pixmill retry``: try the failed images again."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from pixmill.batch.config import RunConfig
from pixmill.batch.options import LIMIT, RUN, Option, options
from pixmill.batch.status import forget_failures, last_config, open_state
from pixmill.cli.asking import EARLIER_DST, word
from pixmill.cli.command import Command, declared
from pixmill.cli.conduct import conduct
from pixmill.cli.reporting import Reporting
from pixmill.cli.showing import SHOW, Showing, State
from pixmill.core.amounts import plural
from pixmill.core.model import Model
from pixmill.engine.policy import Policy
from pixmill.imaging.limits import Limits


class Choice(Model, frozen=True, kw_only=True):
    """Which failures."""

    code: Annotated[str | None, Meta(description="only failures with this code", extra={"value": "CODE"})] = None


class Retry(Command):
    """Try the failed images of DST again.

    Runs what the last run was asked to do, with whatever it left undone. Limits and the way to run may be changed:
    ``--timeout 5m`` for images that took too long, ``--max-pixels 500MP`` for those that were too large.
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
            **changeable,
            **declared(SHOW, Showing, Reporting),
        }

    def execute(self) -> int:
        """Forget that they failed, and run."""
        destination, state = word(self.request, EARLIER_DST), self.request.model(State).state
        showing = self.request.model(Showing)
        with open_state(destination, state, write=True) as ledger:
            config = _changed(last_config(ledger), self.request.values, destination, state)
            forgotten = forget_failures(ledger, code=self.request.model(Choice).code)
        if not showing.quiet:
            self.console.say(f"trying {plural(forgotten, 'image')} again")
        return conduct(config, showing, self.request.model(Reporting), self.console)


def _changed(config: RunConfig, values: Mapping[str, object], destination: str, state: str | None) -> RunConfig:
    """Return ``config`` for where its results are now, with what ``values`` change of limits and the way to run."""

    def given(model: type[Model]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name in options() and options()[name].model is model}

    sharded = config.selection.shard.count > 1  # its ledger lies in a folder below the state that it was given
    return config.evolve(
        destination=destination,
        force=False,
        placement=config.placement if sharded else config.placement.evolve(state=state),
        policy=config.policy.evolve(**given(Policy)),
        recipe=config.recipe.evolve(limits=config.recipe.limits.evolve(**given(Limits))),
        **{name: value for name, value in given(RunConfig).items() if name != "force"},
    )
