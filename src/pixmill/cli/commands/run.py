"""``pixmill run``: the main job."""

from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.batch.config.options import RUN, Option
from pixmill.cli.command import Command, declared
from pixmill.cli.options.output import SHOW, RunOutput
from pixmill.cli.options.report import ReportOptions
from pixmill.cli.options.run import DST, SRC, config_from, run_options
from pixmill.cli.session.execute import execute_run
from pixmill.cli.session.plan_output import print_plan
from pixmill.cli.session.summary import brief, place_of
from pixmill.core.model import Model


class DryRunOption(Model, frozen=True, kw_only=True):
    """Whether to do it at all."""

    dry_run: Annotated[bool, Meta(description="say what would be done, as pixmill plan does; writes nothing")] = False


class Run(Command):
    """Process the images in SRC into DST; again to resume or update.

    A run may be stopped or killed at any moment. The next one does only what is missing, new or changed, and everything when
    what is to be made has changed. An image that cannot be processed costs only itself: it is listed at the end, and
    ``pixmill failures DST`` has the details.

    With tar://FOLDER or parquet://FOLDER as DST the results are gathered into the shards of a dataset.

    Exit codes: 0 all done; 1 some images failed; 2 wrong usage, nothing has run; 3 the environment stopped the run (disk
    full, output not writable); 130 and 143 interrupted, to be resumed.
    """

    arguments: ClassVar = (SRC, DST)
    examples: ClassVar = (
        "pixmill run photos out --size 800x600 --format webp --quality 80",
        "pixmill run photos out --sizes 320,640,1280 --formats avif,jpeg",
        "pixmill run photos tar://train --size 512x512 --fit cover",
        "pixmill run photos out --step grayscale --step sharpen:amount=1.2",
    )

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return every option of a run, and those of showing it."""
        return {**run_options(), **declared(RUN, DryRunOption), **declared(SHOW, RunOutput, ReportOptions)}

    def execute(self) -> int:
        """Run, or rehearse."""
        config = config_from(self.request)
        showing = self.request.model(RunOutput)
        if self.request.model(DryRunOption).dry_run:
            return print_plan(config, self.console, as_json=showing.json)
        ending = execute_run(config, showing, self.request.model(ReportOptions), self.console)
        if showing.quiet:
            for line in brief(ending.failed, place_of(config.destination, config.placement.state)):
                self.console.say(line)
        return ending.code
