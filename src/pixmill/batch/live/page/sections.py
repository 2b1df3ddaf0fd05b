"""The parts of the live page, each a piece of markup that is made anew at most once a second."""

from collections.abc import Callable, Mapping

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.live.collector import LiveCollector
from pixmill.batch.live.page.header import aria_status, page_header, short
from pixmill.batch.live.preview_feed import NumberedPreview
from pixmill.batch.progress.progress import Progress
from pixmill.batch.report.data.run_info import RunInfo
from pixmill.batch.report.html.failures import failures
from pixmill.batch.report.html.markup import Html, safe_text, tag
from pixmill.batch.report.html.overview import what_was_run
from pixmill.batch.report.html.page import contents
from pixmill.batch.report.html.previews import compared
from pixmill.batch.report.html.sizes import sizes
from pixmill.batch.report.html.speed import extremes, stages, throughput
from pixmill.batch.report.html.tables import Section, section, table
from pixmill.batch.report.previews.previews import Previews
from pixmill.batch.report.report_data import ReportData
from pixmill.core.humanize import duration_text
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.ledger import RunRecord
from pixmill.engine.observability.metrics import Metrics, MetricsSnapshot

#: those of the report, in its order; the live page puts what changes most before them
REPORT = (throughput, stages, sizes, extremes, what_was_run)
REVIEW = 5.0  # seconds between two reviews of these: half of the work of a page, for what changes slowly
#: what the page has room for, whether there is something to show in it or not
ORDER = ("head", "contents", "working", "failures", "latest", "throughput", "stages", "sizes", "extremes", "run")


class PageState(msgspec.Struct, frozen=True, kw_only=True):
    """The page at one moment: its ``parts`` by name, a title for the tab, and what a screen reader should say."""

    parts: Mapping[str, str]
    title: str
    spoken: str


class Composer:
    """Makes moments of what ``witness``, ``progress`` and ``metrics`` have counted; ``clock`` is seconds since the epoch."""

    def __init__(
        self,
        config: RunConfig,
        about: RunInfo,
        *,
        witness: LiveCollector,
        progress: Progress,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        """Make nothing yet. ``about`` is what is known of the run before it begins."""
        self._config = config
        self._recipe = config.recipe.to_builtins()
        self._about = about
        self._witness = witness
        self._progress = progress
        self._metrics = metrics
        self._clock = clock
        self._began = clock()
        self._reviewed: list[Section | None] = []
        self._review_at = 0.0

    def compose(self, pictures: tuple[NumberedPreview, ...], *, is_over: bool) -> PageState:
        """Return the page as it is now."""
        now, counted = self._progress.snapshot(), self._metrics.snapshot()
        numbers = counted if is_over else msgspec.structs.replace(counted, reason="")  # a watch goes on after each of its runs
        with self._witness.locked():
            dossier = self._dossier(numbers)
            if is_over or dossier.made_at >= self._review_at:
                self._review_at = dossier.made_at + REVIEW
                self._reviewed = [part(dossier) for part in REPORT]
            sections = [working(self._witness.posts), failures(dossier), latest(pictures), *self._reviewed]
        shown = [each for each in sections if each is not None]
        written = {each.identity: each.html for each in shown}
        top = {"head": page_header(now, numbers, self._config.destination), "contents": contents(shown)}
        title = f"{short(now, numbers)} of {safe_text(self._config.destination)}"
        return PageState(parts={**top, **written}, title=title, spoken=aria_status(now, numbers))

    def _dossier(self, numbers: MetricsSnapshot) -> ReportData:
        run = RunRecord(number=self._witness.run, started_at=self._began)
        return ReportData(
            source=self._config.source,
            destination=self._config.destination,
            recipe=self._recipe,
            runs=(),
            run=run,
            run_info=msgspec.structs.replace(self._about, snapshot=numbers),
            findings=self._witness.findings,
            pictures=Previews(),
            made_at=self._clock(),
        )


def working(posts: tuple[WorkerStatus, ...]) -> Section | None:
    """Return what the workers are at."""
    if not posts:
        return None
    rows = [(safe_text(post.key or b""), post.stage or "its handler", duration_text(post.seconds), post.pid) for post in posts]
    return section("At work", table("What each worker is at", ("image", " stage", "for", "process"), rows), identity="working")


def latest(pictures: tuple[NumberedPreview, ...]) -> Section | None:
    """Return the pictures that were made last."""
    if not pictures:
        return None
    about = tag(
        "p", "As often as costs the run next to nothing, while somebody looks: the source is on the left, the result on the right."
    )
    return section("Latest pictures", about, tag("div", map(_framed, pictures), class_="album"), identity="latest")


def _framed(framed: NumberedPreview) -> Html:
    place = f"pictures/{framed.number}"
    return compared(framed.shown, before=f"{place}/before", after=f"{place}/after", identity=f"picture-{framed.number}")
