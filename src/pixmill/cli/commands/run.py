"""``pixmill run``: the main command."""

from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.batch.config.hints import command_arguments
from pixmill.batch.config.options import PLACE, RUN, Option
from pixmill.cli.command import Command, declared
from pixmill.cli.options.output import SHOW, RunOutput
from pixmill.cli.options.pruning import Mirroring
from pixmill.cli.options.report import ReportOptions
from pixmill.cli.options.run import DST, SRC, config_from, run_options
from pixmill.cli.session.execute import RunEnd, execute_run
from pixmill.cli.session.plan_output import print_plan
from pixmill.cli.session.pruning import plain_result, result_lines
from pixmill.cli.session.sample import check_sample
from pixmill.cli.session.summary import MARGIN, brief
from pixmill.core.model import Model


class DryRunOption(Model, frozen=True, kw_only=True):
    """Whether to print the plan instead of running it."""

    dry_run: Annotated[
        bool,
        Meta(description="show what the run would do (like pixmill plan), without writing anything", extra={"letter": "n"}),
    ] = False


class Run(Command):
    """Process the images in SRC into DST; repeat to resume or update.

    A run can be stopped or killed at any time. The next run processes only images that are missing, new or changed, or all
    images if the recipe has changed. A failed image does not stop the run: it is listed at the end, and
    ``pixmill failures DST`` shows the details.

    With several SRC, such as an expanded ``*.jpg``, files are placed side by side and folders below their own names, as with
    ``cp -r``. If DST has the extension of an image format, one image is written to exactly this file: nothing else is kept, and
    an existing file is refused unless ``--existing replace`` is given.

    If DST is tar://FOLDER or parquet://FOLDER, the outputs are packed into the shards of a dataset.

    With --sample, a few images from all folders are processed into a scratch folder; the command prints its path, and an estimate
    for the whole run. The same command chooses the same images, and a larger sample contains the smaller ones.

    Exit codes: 0 all images are done; 1 some images failed; 2 invalid usage or no images, nothing ran, or --mirror would remove
    too much; 3 the environment stopped the run (disk full, output not writable), or too many images failed; 130 and 143
    interrupted, run again to resume.
    """

    arguments: ClassVar = (SRC, DST)
    examples: ClassVar = (
        "pixmill run photos out --size 800x600 --format webp --quality 80",
        "pixmill run photos out --format avif --quality 60 --sample 20",
        "pixmill run photos out --sizes 320,640,1280 --formats avif,jpeg",
        "pixmill run photos tar://train --size 512x512 --fit cover",
        "pixmill run a.jpg b.jpg holidays out",
        "pixmill run photo.jpg thumb.webp --size 320x",
        "pixmill run photos out --step grayscale --step sharpen:amount=1.2",
    )

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return all options of a run, and those for monitoring it."""
        removing, dry = declared(PLACE, Mirroring), declared(RUN, DryRunOption)
        return {**run_options(), **removing, **dry, **declared(SHOW, RunOutput, ReportOptions)}

    def execute(self) -> int:
        """Run, or print the plan."""
        config = config_from(self.request)
        output = self.request.model(RunOutput)
        is_dry = self.request.model(DryRunOption).dry_run
        if config.selection.sample is not None:
            check_sample(output, is_dry=is_dry)
            if not output.quiet:
                self.console.say(f"[SAMPLE] listing {config.source_text} to choose the images")
        if is_dry:
            if self.request.model(Mirroring).mirror:
                arguments = command_arguments(config.destination, config.placement.state)
                self.console.say(f"To list what --mirror would remove: pixmill prune {arguments}")
            return print_plan(config, self.console, as_json=output.json)
        run_end = execute_run(config, output, self.request.model(ReportOptions), self.console)
        if output.quiet:
            for line in brief(run_end.failed, run_end.arguments):
                self.console.say(line)
        return self._mirror(run_end, output) if self.request.model(Mirroring).mirror else run_end.code

    def _mirror(self, run_end: RunEnd, output: RunOutput) -> int:
        """Remove the outputs of images that are gone, if the run finished."""
        if run_end.finished is None:
            if not output.quiet:
                self.console.say("--mirror: nothing is removed, since the run did not finish, or made a sample or a single file")
            return run_end.code
        from pixmill.batch.pruning.prune import mirror  # noqa: PLC0415  # most runs remove nothing

        result = mirror(run_end.finished, max_delete=self.request.model(Mirroring).max_delete)
        if output.json:
            self.console.record({"event": "mirror", **plain_result(result)})
        for line in () if output.quiet else result_lines(result):
            self.console.say(line, margin=MARGIN)
        return run_end.code
