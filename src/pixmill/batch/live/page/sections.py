"""The parts of the live page, each a piece of markup that is rendered at most once a second."""

from collections.abc import Callable, Mapping

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.live.collector import LiveCollector
from pixmill.batch.live.page.header import aria_status, page_header, tab_title
from pixmill.batch.live.preview_feed import NumberedPreview
from pixmill.batch.progress.progress import Progress
from pixmill.batch.report.absolute_paths import absolute, absolute_arguments
from pixmill.batch.report.data.run_info import RunInfo
from pixmill.batch.report.html.failures import failures
from pixmill.batch.report.html.markup import Html, safe_text, tag
from pixmill.batch.report.html.overview import what_was_run
from pixmill.batch.report.html.page import contents
from pixmill.batch.report.html.previews import HOW_TO_COMPARE, before_after
from pixmill.batch.report.html.sizes import sizes
from pixmill.batch.report.html.speed import extremes, stages, throughput
from pixmill.batch.report.html.tables import Section, section, table
from pixmill.batch.report.previews.previews import Previews
from pixmill.batch.report.report_data import ReportData
from pixmill.core.humanize import duration_text
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.ledger import RunRecord
from pixmill.engine.observability.metrics import Metrics, MetricsSnapshot

#: the sections of the report, in its order; on the live page they follow the parts that change more often
REPORT_SECTIONS = (sizes, throughput, stages, extremes, what_was_run)
REPORT_INTERVAL = 5.0  # seconds between two renderings of these: half of the work of a page, although they change slowly
#: the parts that the page has a place for, whether or not they have content
ORDER = ("head", "contents", "failures", "latest", "sizes", "working", "throughput", "stages", "extremes", "run")


class PageState(msgspec.Struct, frozen=True, kw_only=True):
    """The page at one moment: its ``parts`` by name, a title for the tab, and the text for screen readers."""

    parts: Mapping[str, str]
    title: str
    spoken: str


class Composer:
    """Composes page states from ``collector``, ``progress`` and ``metrics``; ``clock`` returns seconds since the epoch."""

    def __init__(
        self,
        config: RunConfig,
        run_info: RunInfo,
        *,
        collector: LiveCollector,
        progress: Progress,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        """Compose nothing yet. ``run_info`` is the information about the run that is available before it begins."""
        self._config = config
        self._recipe = config.recipe.to_builtins()
        self._destination = absolute(config.destination)
        self._arguments = absolute_arguments(config.destination, config.placement.state)
        self._run_info = run_info
        self._collector = collector
        self._progress = progress
        self._metrics = metrics
        self._clock = clock
        self._began = clock()
        self._report_sections: list[Section | None] = []
        self._next_report = 0.0

    def compose(self, previews: tuple[NumberedPreview, ...], *, is_over: bool) -> PageState:
        """Return the current state of the page."""
        now, counted = self._progress.snapshot(), self._metrics.snapshot()
        numbers = counted if is_over else msgspec.structs.replace(counted, reason="")  # a watch continues after each of its runs
        with self._collector.locked():
            data = self._report_data(numbers)
            if is_over or data.made_at >= self._next_report:
                self._next_report = data.made_at + REPORT_INTERVAL
                self._report_sections = [part(data) for part in REPORT_SECTIONS]
            sections = [workers(self._collector.workers), failures(data), latest(previews), *self._report_sections]
        shown = [each for each in sections if each is not None]
        written = {each.identity: each.html for each in shown}
        top = {"head": page_header(now, numbers, self._destination), "contents": contents(shown)}
        title = f"{tab_title(now, numbers)} of {safe_text(self._destination)}"
        return PageState(parts={**top, **written}, title=title, spoken=aria_status(now, numbers))

    def _report_data(self, numbers: MetricsSnapshot) -> ReportData:
        run = RunRecord(number=self._collector.run_number, started_at=self._began)
        return ReportData(
            source=self._config.source_text,
            destination=self._destination,
            arguments=self._arguments,
            recipe=self._recipe,
            runs=(),
            run=run,
            run_info=msgspec.structs.replace(self._run_info, snapshot=numbers),
            statistics=self._collector.statistics,
            previews=Previews(),
            made_at=self._clock(),
        )


def workers(statuses: tuple[WorkerStatus, ...]) -> Section | None:
    """Return the current tasks of the workers."""
    if not statuses:
        return None
    rows = [
        (safe_text(status.key or b""), status.stage or "handler", duration_text(status.seconds), status.pid) for status in statuses
    ]
    listed = table("Current task of each worker", ("image", " stage", "for", "process"), rows, is_titled=False)
    return section("Current task of each worker", listed, identity="working", is_folded=True)


def latest(previews: tuple[NumberedPreview, ...]) -> Section | None:
    """Return the latest previews."""
    if not previews:
        return None
    about = tag(
        "p",
        f"The newest come first, as many as can be made without slowing down the run. {HOW_TO_COMPARE}",
    )
    return section("Latest pictures", about, tag("div", map(_numbered, previews), class_="previews"), identity="latest")


def _numbered(preview: NumberedPreview) -> Html:
    url = f"pictures/{preview.number}"
    return before_after(preview.preview, before=f"{url}/before", after=f"{url}/after", identity=f"picture-{preview.number}")
