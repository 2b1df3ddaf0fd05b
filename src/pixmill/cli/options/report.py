"""The options for the report and the profile of a run."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from pixmill.batch.config.foreign_code import steps_of
from pixmill.batch.config.models import RunConfig
from pixmill.core.errors import ConfigError
from pixmill.core.model import Model
from pixmill.core.text import printable


class ReportOptions(Model, frozen=True, kw_only=True):
    """The paths of the report and the profile."""

    report: Annotated[
        str | None,
        Meta(description="write an HTML report to this file at the end (like pixmill report)", extra={"value": "FILE"}),
    ] = None
    quality_check: Annotated[int, Meta(ge=0, description="compare this many outputs with their sources (SSIM) for the report")] = 0
    profile: Annotated[
        str | None,
        Meta(description="trace a sample of images and write a profile for speedscope.app to this file", extra={"value": "FILE"}),
    ] = None

    @property
    def profile_path(self) -> Path | None:
        """Return the path of the profile; ``None`` if there is none to write."""
        return Path(self.profile) if self.profile else None

    def of_sample(self, default: Path) -> "ReportOptions":
        """Return the options for a sample, which always has a report: at ``default`` unless another path was given."""
        return self.evolve(report=self.report or str(default))

    def check(self) -> None:
        """Raise ``ConfigError`` before the run if the folder of the report does not exist."""
        if self.report and not Path(self.report).absolute().parent.is_dir():
            raise ConfigError(f"{printable(self.report)} cannot be written: its folder does not exist", hint="name another file")

    def write(self, config: RunConfig, state: Path) -> None:
        """Write the report of a run of ``config``, if requested and anything ran; ``RunError`` if it cannot be written."""
        if self.report and state.is_dir():
            from pixmill.batch.report.write import write_report  # noqa: PLC0415  # a tenth of the start-up of every other run

            write_report(
                config.destination,
                state=str(state),
                path=Path(self.report),
                check=self.quality_check,
                allowed=steps_of(config.recipe),
            )
