"""``pixmill bench``: how fast this machine is with these images."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta, structs

from pixmill.batch.bench import SEQUENTIAL, Measurement, measure, recommended, sample, worker_counts
from pixmill.batch.config.options import MAKE, RUN, Option, options, resolve
from pixmill.cli.args.parser import Argument
from pixmill.cli.command import Command, declared
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import SHOW, CommonOutput
from pixmill.cli.options.run import RecipeFile
from pixmill.core.errors import AddressError
from pixmill.core.humanize import plural
from pixmill.core.model import Model
from pixmill.engine.resources.cpu import usable_cores

DIR = Argument("DIR", "folder of images to measure with", variable="INPUT_DIR")
STAGES = 3  # named in the table; the rest is small


class BenchOptions(Model, frozen=True, kw_only=True):
    """How much is measured."""

    images: Annotated[int, Meta(ge=1, description="images to take, evenly spread over DIR")] = 60
    try_workers: Annotated[
        tuple[Annotated[int, Meta(ge=1)], ...], Meta(description="numbers of workers to try, such as 1,2,4; up to the cores")
    ] = ()


class Bench(Command):
    """Measure how fast your images are done here, by workers.

    Some images of DIR are run one after the other, then with 1, 2, 4 ... workers: images a second, speed-up, efficiency, the
    stages that the time goes to, and the number of workers to use. DIR is only read; results are thrown away.
    """

    arguments: ClassVar = (DIR,)
    examples: ClassVar = ("pixmill bench photos", "pixmill bench photos --size 800x600 --format webp --images 200")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return what to make, and how much to measure."""
        make = {name: option for name, option in options().items() if option.group == MAKE}
        return {**declared(MAKE, RecipeFile), **make, **declared(RUN, BenchOptions), **declared(SHOW, CommonOutput)}

    def execute(self) -> int:
        """Measure, print a row as each run ends, then the advice."""
        folder = self.request.words.get(DIR.name)
        if not folder:
            raise AddressError(f"{DIR.name}: expected a {DIR.description}, received none")
        trying = self.request.model(BenchOptions)
        known = {name: value for name, value in self.request.values.items() if name in options() or name == "recipe"}
        recipe = resolve(folder, folder, known).recipe
        with sample(Path(folder), trying.images) as images:
            found = self._shown(measure(images, recipe, trying.try_workers or worker_counts(usable_cores())))
        self._advise(found)
        return ExitCode.SOME_FAILED if found[0].failed else ExitCode.DONE

    def _shown(self, running: Iterable[Measurement]) -> list[Measurement]:
        found: list[Measurement] = []
        for trial in running:
            if self.request.model(CommonOutput).json:
                self.console.record(structs.asdict(trial))
            else:
                if not found:
                    self.console.result(f"{plural(trial.images, 'image')}, {trial.megapixels * trial.seconds:.0f} megapixels")
                    self.console.result("workers      images/s  MP/s  speed-up  efficiency  time goes to")
                self.console.result(_row(trial))
            found.append(trial)
        return found

    def _advise(self, found: list[Measurement]) -> None:
        best = recommended(found)
        if self.request.model(CommonOutput).json:
            self.console.record({"recommended_workers": best})
        else:
            self.console.result(f"Use --workers {best} here.")
        if failed := found[0].failed:
            self.console.say(f"{plural(failed, 'image')} failed, and took no part in this.")


def _row(trial: Measurement) -> str:
    name = "sequential" if trial.workers == SEQUENTIAL else str(trial.workers)
    stages = ", ".join(f"{stage} {share:.0%}" for stage, share in list(trial.stages.items())[:STAGES])
    efficiency = "" if trial.workers == SEQUENTIAL else f"{trial.efficiency:.0%}"
    return f"{name:<11}  {trial.rate:>8.1f}  {trial.megapixels:>4.0f}  {trial.speedup:>8.2f}  {efficiency:>10}  {stages}"
