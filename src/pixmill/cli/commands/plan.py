"""``pixmill plan``: what run would do."""

from typing import ClassVar

from pixmill.batch.config.options import Option
from pixmill.cli.command import Command, declared
from pixmill.cli.options.output import SHOW, CommonOutput
from pixmill.cli.options.run import DST, SRC, config_from, run_options
from pixmill.cli.session.plan_output import print_plan


class Plan(Command):
    """Say what run would do, and write nothing.

    Takes the words and options of run. Prints counts, the first names, collisions, and a warning where the order of the steps
    does not do what was meant.
    """

    arguments: ClassVar = (SRC, DST)
    examples: ClassVar = ("pixmill plan photos out --size 800x600 --format webp",)

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return every option of a run."""
        return {**run_options(), **declared(SHOW, CommonOutput)}

    def execute(self) -> int:
        """Survey the source and print what was found."""
        return print_plan(config_from(self.request), self.console, as_json=self.request.model(CommonOutput).json)
