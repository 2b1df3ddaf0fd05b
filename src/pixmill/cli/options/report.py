"""The report of a run that has ended: whether one is wanted, and where."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Annotated

from msgspec import Meta

from pixmill.batch.config.foreign_code import steps_of
from pixmill.batch.config.models import RunConfig
from pixmill.batch.watch.events import CaughtUp
from pixmill.core.errors import ConfigError, PixmillError
from pixmill.core.events import Event, Observer
from pixmill.core.model import Model
from pixmill.core.text import printable

PAUSE = 60.0  # seconds between two reports of one watch


class Reporting(Model, frozen=True, kw_only=True):
    """Whether a run ends with a report, and a profile."""

    report: Annotated[
        str | None,
        Meta(description="write one page on what was done here at the end, as pixmill report does", extra={"value": "FILE"}),
    ] = None
    quality_check: Annotated[int, Meta(ge=0, description="measure for the report how alike so many results and sources look")] = 0
    profile: Annotated[
        str | None,
        Meta(description="trace a sample of images, and write a profile here that speedscope.app opens", extra={"value": "FILE"}),
    ] = None

    @property
    def profile_path(self) -> Path | None:
        """Return where the profile goes, if one is wanted."""
        return Path(self.profile) if self.profile else None

    def check(self) -> None:
        """See before the run whether there is a place for it; ``ConfigError`` when there is none."""
        if self.report and not Path(self.report).absolute().parent.is_dir():
            raise ConfigError(f"{printable(self.report)} cannot be written: its folder does not exist", hint="name another file")

    def write(self, config: RunConfig, state: Path) -> None:
        """Write it, if it is wanted and anything has run; ``RunError`` when it cannot be. ``config`` is what was run."""
        if self.report and state.is_dir():
            from pixmill.batch.report.write import write_report  # noqa: PLC0415  # a tenth of the start of every other run

            write_report(
                config.destination,
                state=str(state),
                path=Path(self.report),
                check=self.quality_check,
                allowed=steps_of(config.recipe),
            )


class Refresher(Observer):
    """Calls ``write`` whenever a watch has caught up, in the background and not more often than every ``pause`` seconds.

    What goes wrong is left to the report at the end, which says so.
    """

    def __init__(self, write: Callable[[], None], *, pause: float = PAUSE, clock: Callable[[], float] = time.monotonic) -> None:
        """Write nothing yet."""
        self._write = write
        self._pause = pause
        self._clock = clock
        self._due = clock()
        self._writer: Thread | None = None

    def notice(self, event: Event) -> None:
        """Write if it is time."""
        is_writing = self._writer is not None and self._writer.is_alive()
        if isinstance(event, CaughtUp) and self._clock() >= self._due and not is_writing:
            self._due = self._clock() + self._pause
            self._writer = Thread(target=self._attempt, name="report", daemon=True)
            with suppress(RuntimeError):  # where no thread is to be had there is the report at the end
                self._writer.start()

    def close(self) -> None:
        """Wait until what is being written is written."""
        if self._writer is not None and self._writer.ident is not None:
            self._writer.join()

    def _attempt(self) -> None:
        with suppress(PixmillError):
            self._write()
