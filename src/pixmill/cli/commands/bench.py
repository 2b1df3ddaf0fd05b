"""``pixmill bench``: measures how fast this machine processes a set of images."""

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
from pixmill.cli.options.run import RecipeFile, argument_value
from pixmill.core.humanize import plural
from pixmill.core.model import Model
from pixmill.engine.resources.cpu import usable_cores

DIR = Argument("DIR", "folder of images to measure with", variable="INPUT_DIR", is_folder=True)
MAX_STAGES = 3  # in the table; the others are small


class BenchOptions(Model, frozen=True, kw_only=True):
    """The size of the measurement."""

    images: Annotated[int, Meta(ge=1, description="number of images to measure, spread evenly over DIR")] = 60
    try_workers: Annotated[
        tuple[Annotated[int, Meta(ge=1)], ...],
        Meta(description="worker counts to measure, such as 1,2,4; by default 1, 2, 4, ... up to all cores"),
    ] = ()


class Bench(Command):
    """Measure the speed of this machine on your images.

    Processes a sample of the images in DIR sequentially, then with 1, 2, 4, ... workers. Prints images per second, speed-up,
    efficiency and the slowest stages, and recommends a number of workers. DIR is only read; outputs are discarded.
    """

    arguments: ClassVar = (DIR,)
    examples: ClassVar = ("pixmill bench photos", "pixmill bench photos --size 800x600 --format webp --images 200")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the image options, and the options of the measurement."""
        make = {name: option for name, option in options().items() if option.group == MAKE}
        return {**declared(MAKE, RecipeFile), **make, **declared(RUN, BenchOptions), **declared(SHOW, CommonOutput)}

    def execute(self) -> int:
        """Print a row after each measurement, then the recommendation."""
        folder = argument_value(self.request, DIR)
        bench_options = self.request.model(BenchOptions)
        values = {name: value for name, value in self.request.values.items() if name in options() or name == "recipe"}
        recipe = resolve(folder, folder, values).recipe
        self.console.waits.begin(lambda: f"choosing and reading images in {folder}")
        with sample(Path(folder), bench_options.images) as images:
            self.console.waits.begin(lambda: "measuring")
            measurements = self._print_each(measure(images, recipe, bench_options.try_workers or worker_counts(usable_cores())))
        self._recommend(measurements)
        return ExitCode.SOME_FAILED if measurements[0].failed else ExitCode.DONE

    def _print_each(self, measurements: Iterable[Measurement]) -> list[Measurement]:
        printed: list[Measurement] = []
        for each in measurements:
            if self.request.model(CommonOutput).json:
                self.console.record(structs.asdict(each))
            else:
                if not printed:
                    self.console.result(f"{plural(each.images, 'image')}, {each.megapixels * each.seconds:.0f} megapixels")
                    self.console.result("workers      images/s  MP/s  speed-up  efficiency  slowest stages")
                self.console.result(_row(each))
            printed.append(each)
        return printed

    def _recommend(self, measurements: list[Measurement]) -> None:
        best = recommended(measurements)
        if self.request.model(CommonOutput).json:
            self.console.record({"recommended_workers": best})
        else:
            self.console.result(f"Recommended on this machine: --workers {best}")
        if failed := measurements[0].failed:
            self.console.say(f"{plural(failed, 'image')} failed and were left out of the measurement.")


def _row(measurement: Measurement) -> str:
    name = "sequential" if measurement.workers == SEQUENTIAL else str(measurement.workers)
    stages = ", ".join(f"{stage} {share:.0%}" for stage, share in list(measurement.stages.items())[:MAX_STAGES])
    efficiency = "" if measurement.workers == SEQUENTIAL else f"{measurement.efficiency:.0%}"
    speed = f"{measurement.rate:>8.1f}  {measurement.megapixels:>4.0f}  {measurement.speedup:>8.2f}"
    return f"{name:<11}  {speed}  {efficiency:>10}  {stages}"
