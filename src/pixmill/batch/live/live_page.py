"""``LivePage``: the components of ``--serve``, put together."""

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
from pixmill.batch.report.data.run_info import current_run_info
from pixmill.batch.report.previews.messages import PreviewOptions
from pixmill.core.endpoint import Endpoint
from pixmill.core.events import Event, Observer
from pixmill.core.humanize import duration_text
from pixmill.engine.observability.metrics import Metrics, MetricsSnapshot
from pixmill.engine.resources.cpu import usable_cores
from pixmill.engine.task import Task

MAX_SOURCE_BYTES = 32_000_000  # sources with more bytes get no preview, which would slow down the run too much
SIDE = 800  # pixels of the longer side of a picture: larger ones take more of the processor time that pictures may take
NICENESS = 10  # the run has priority, yet a preview takes only seconds when all cores are busy


class LivePage(Observer):
    """Serves the live page of a run of ``config`` at ``endpoint`` until it is closed.

    It must come after ``progress`` and ``metrics`` among the observers. ``exposition`` formats metrics for Prometheus.
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
        """Start listening; ``ConfigError`` if the port is not available."""
        self._collector = collector = LiveCollector(time.time())
        composer = Composer(
            config, current_run_info(command), collector=collector, progress=progress, metrics=metrics, clock=time.time
        )
        self._page = PageCache(lambda is_over: composer.compose(self._previews.previews, is_over=is_over), clock=time.monotonic)
        self._previews = PreviewFeed(
            lambda: collector.latest, lambda: self._page.is_watched, lambda: preview_options(config), cores=usable_cores()
        )
        self._access = access_control(endpoint)
        self._endpoint = endpoint
        routes = Routes(
            self._access,
            self._page,
            previews=lambda: self._previews.previews,
            metrics=lambda: exposition(metrics.snapshot()),
            unhealthy_reason=self._unhealthy_reason,
        )
        self._server = Server(endpoint, routes)
        self._previews.open()

    @property
    def url(self) -> str:
        """Return the address of the page, with the token if one is needed."""
        query = f"?token={self._access.token}" if self._access.token else ""
        return f"http://{Endpoint(self._server.port, host=reachable(self._endpoint.host))}/{query}"

    def on_event(self, event: Event) -> None:
        """Update the page with ``event``."""
        self._collector.on_event(event)

    def on_unchanged(self, tasks: Sequence[Task], at: float) -> None:
        """Update the page with unchanged ``tasks``."""
        self._collector.on_unchanged(tasks, at)

    def close(self) -> None:
        """Send the final state to every viewer and stop listening."""
        self._page.end()
        self._previews.close()
        self._server.close()

    def _unhealthy_reason(self) -> str:
        stalled_for = self._collector.stalled_for
        return f"nothing has finished for {duration_text(stalled_for)}" if stalled_for else ""


def preview_options(config: RunConfig) -> PreviewOptions:
    """Return the options of the previews of a run of ``config``."""
    run_plan = plan(config)
    options = run_plan.handler_options
    return PreviewOptions(
        source=options.source,
        destination=options.destination,
        recipe=options.recipe,
        max_bytes=MAX_SOURCE_BYTES,
        side=SIDE,
        follow_symlinks=options.follow_symlinks,
        prefix=run_plan.source_keys.prefixes[run_plan.locations.source.places[0]],
        nice=NICENESS,
    )
