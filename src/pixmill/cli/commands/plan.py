"""``pixmill plan``: shows what a run would do."""

from typing import ClassVar

from pixmill.batch.config.options import Option
from pixmill.cli.command import Command, declared
from pixmill.cli.options.output import SHOW, CommonOutput
from pixmill.cli.options.run import DST, SRC, config_from, run_options
from pixmill.cli.session.plan_output import print_plan


class Plan(Command):
    """Show what a run would do, without writing anything.

    Takes the arguments and options of ``pixmill run``. Prints counts, the first output names and name collisions, and warns
    about steps in an order that is probably a mistake. Exits with 2 if there are no images.
    """

    arguments: ClassVar = (SRC, DST)
    examples: ClassVar = ("pixmill plan photos out --size 800x600 --format webp",)

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of a run."""
        return {**run_options(without=("sample",)), **declared(SHOW, CommonOutput)}

    def execute(self) -> int:
        """List the source and print the plan."""
        return print_plan(config_from(self.request), self.console, as_json=self.request.model(CommonOutput).json)
