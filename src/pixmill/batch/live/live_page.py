"""``LivePage``: everything that ``--serve`` starts, put together."""

import time
from collections.abc import Callable, Sequence

from pixmill.batch.config.models import RunConfig
from pixmill.batch.live.collector import LiveCollector
from pixmill.batch.live.http.access import access_control, reachable
from pixmill.batch.live.http.routes import Routes
from pixmill.batch.live.http.server import Server
from pixmill.batch.live.page.cache import PageCache
from pixmill.batch.live.page.sections import Composer
from pixmill.batch.live.preview_feed import PreviewFeed
from pixmill.batch.planning.plan import plan
from pixmill.batch.progress.progress import Progress
from pixmill.batch.report.data.run_info import about_here
from pixmill.batch.report.previews.messages import PreviewOptions
from pixmill.core.endpoint import Endpoint
from pixmill.core.events import Event, Observer
from pixmill.core.humanize import duration_text
from pixmill.engine.observability.metrics import Metrics, MetricsSnapshot
from pixmill.engine.resources.cpu import usable_cores

LARGEST = 32_000_000  # bytes of a source that is shown: the pictures of a larger one would cost the run too much
NICENESS = 10  # the run goes first, and yet a picture comes in seconds where all cores are busy


class LivePage(Observer):
    """Shows a run of ``config`` to whoever asks ``endpoint``, from now until it is closed.

    It comes after ``progress`` and ``metrics`` among the observers. ``exposition`` writes numbers as Prometheus reads them.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        config: RunConfig,
        *,
        progress: Progress,
        metrics: Metrics,
        exposition: Callable[[MetricsSnapshot], str],
        command: Sequence[str] = (),
    ) -> None:
        """Listen from now on; ``ConfigError`` when the port cannot be had."""
        self._witness = witness = LiveCollector(time.time())
        composer = Composer(config, about_here(command), witness=witness, progress=progress, metrics=metrics, clock=time.time)
        self._board = PageCache(lambda is_over: composer.compose(self._album.pictures, is_over=is_over), clock=time.monotonic)
        self._album = PreviewFeed(
            lambda: witness.latest, lambda: self._board.is_watched, lambda: picture_options(config), cores=usable_cores()
        )
        self._guard = access_control(endpoint)
        self._endpoint = endpoint
        site = Routes(
            self._guard,
            self._board,
            pictures=lambda: self._album.pictures,
            metrics=lambda: exposition(metrics.snapshot()),
            trouble=self._unhealthy_reason,
        )
        self._server = Server(endpoint, site)
        self._album.open()

    @property
    def url(self) -> str:
        """Return where the page is, with the token that opens it where one is needed."""
        query = f"?token={self._guard.token}" if self._guard.token else ""
        return f"http://{Endpoint(self._server.port, host=reachable(self._endpoint.host))}/{query}"

    def on_event(self, event: Event) -> None:
        """Keep what the page shows of ``event``."""
        self._witness.on_event(event)

    def close(self) -> None:
        """Show everybody how it ended, and listen no more."""
        self._board.end()
        self._album.close()
        self._server.close()

    def _unhealthy_reason(self) -> str:
        silence = self._witness.silence
        return f"nothing has finished for {duration_text(silence)}" if silence else ""


def picture_options(config: RunConfig) -> PreviewOptions:
    """Return what the pictures of a run of ``config`` have in common."""
    assignment = plan(config).handler_options
    return PreviewOptions(
        source=assignment.source,
        destination=assignment.destination,
        recipe=assignment.recipe,
        max_bytes=LARGEST,
        follow_symlinks=assignment.follow_symlinks,
        nice=NICENESS,
    )
