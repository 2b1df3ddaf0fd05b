"""``BatchRun``: a run of a plan that is going on, with its outcomes and its report."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from pixmill.batch.outputs.origins import Origins
from pixmill.batch.planning.plan import Plan
from pixmill.batch.planning.sample import Choice
from pixmill.batch.progress.workload import WorkTotal
from pixmill.batch.report.extrapolation import Extrapolation
from pixmill.batch.report.outcomes import ImageOutcome, image_outcome
from pixmill.batch.report.summary import Report, summarise
from pixmill.batch.state.location import REPORT
from pixmill.engine.ledger import FINISHED
from pixmill.engine.observability.metrics import Metrics
from pixmill.engine.runner import Run
from pixmill.engine.task import Outcome

Finish = Callable[[Callable[[], bool]], bool]


class BatchRun:
    """A run in progress: iterate over it for the final outcomes. ``metrics`` may be read at any time.

    ``remarks`` are warnings to show before it starts, as sentences. ``choice`` is set if it processes only a sample: the
    destination of its plan is then the scratch folder. ``work_total()`` counts the work ahead of the run; for a source in a store,
    which is listed only once, it returns the number of images that earlier runs found, or ``None``.
    """

    def __init__(self, plan: Plan, engine: Run, metrics: Metrics, origins: Origins, finish: Finish | None = None) -> None:
        """Wrap ``engine``; called by ``open_run``. ``finish`` is the work that remains once every image has its outcome."""
        self.plan = plan
        self.metrics = metrics
        self.remarks: tuple[str, ...] = ()
        self.choice: Choice | None = None
        self._extrapolation: Extrapolation | None = None
        self._origins = origins
        self.work_total: Callable[[], WorkTotal | None] = plan.work_total
        self._engine = engine
        self._finish = finish
        self._stopped = ""
        self._is_finished = finish is None

    def __iter__(self) -> Iterator[Outcome]:
        """Yield the one final outcome of each task, in order of completion; then finish, which takes a while for a dataset."""
        yield from self._engine
        if self._finish is not None and self._engine.reason == FINISHED:
            self._is_finished = self._finish(lambda: not self._stopped)

    def results(self) -> Iterator[ImageOutcome]:
        """Yield the outcome of each image in plain words: its source, what became of it, and its files. Instead of iterating."""
        return (image_outcome(outcome, self.plan.config) for outcome in self)

    def extrapolate(self, choice: Choice, extrapolation: Extrapolation) -> None:
        """Report estimates for all the images from which ``choice`` was made."""
        self.choice, self._extrapolation = choice, extrapolation

    @property
    def report_path(self) -> Path:
        """Return the default path of the HTML report."""
        return self.plan.locations.lock_folder / REPORT

    def stop(self, reason: str) -> None:
        """Start no more tasks and let those in flight finish within the grace period. May be called from a signal handler."""
        self._stopped = self._stopped or reason
        self._engine.stop(reason)

    def kill(self) -> None:
        """End immediately; images in flight stay pending. May be called from a signal handler."""
        self.stop("killed")
        self._engine.kill()

    def report(self) -> Report:
        """Return the report so far, which is final once the run has ended."""
        selector = self.plan.selector
        report = summarise(
            self.metrics.snapshot(),
            selector.ignored,
            patterns=selector.patterns,
            other_images=selector.other_images,
            makes=self.plan.makes,
        )
        if self.plan.config.on_upgrade == "keep":
            report = msgspec.structs.replace(report, older=self._origins.older)
        if self._extrapolation:
            folder, max_rate = self.plan.config.destination, self.plan.config.policy.max_rate
            sample = self._extrapolation.report(folder, str(self.report_path), workers=report.workers, max_rate=max_rate)
            report = msgspec.structs.replace(report, sample=sample)
        is_cut_short = report.reason == FINISHED and not self._is_finished and self._stopped
        return msgspec.structs.replace(report, reason=self._stopped) if is_cut_short else report
