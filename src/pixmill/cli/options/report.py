"""The report of a run that has ended: whether one is wanted, and where."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from pixmill.batch.config.foreign_code import steps_of
from pixmill.batch.config.models import RunConfig
from pixmill.core.errors import ConfigError
from pixmill.core.model import Model
from pixmill.core.text import printable


class ReportOptions(Model, frozen=True, kw_only=True):
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
