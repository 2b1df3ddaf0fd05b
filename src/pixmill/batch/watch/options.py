"""``WatchOptions``: the options of a watch. Every option is a field, declared once, like those of a run."""

from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.core.errors import ConfigError
from pixmill.core.model import Model
from pixmill.core.units import Duration, TimeLimit


class WatchOptions(Model, frozen=True, kw_only=True):
    """How a folder is watched, and what happens to its files."""

    error: ClassVar = ConfigError

    settle: Annotated[Duration, Meta(description="time that a file must stay unchanged before it is processed")] = Duration(2)
    poll: Annotated[
        TimeLimit | None,
        Meta(description="poll for changes this often instead of using inotify; automatic where inotify is not reliable"),
    ] = None
    mirror: Annotated[bool, Meta(description="remove the outputs of images that are removed from SRC")] = False
    move_done: Annotated[
        str | None, Meta(description="move finished images out of SRC into this folder", extra={"value": "FOLDER"})
    ] = None
    move_failed: Annotated[
        str | None, Meta(description="move failed images out of SRC into this folder", extra={"value": "FOLDER"})
    ] = None

    def __post_init__(self) -> None:
        """Reject contradictory options."""
        super().__post_init__()
        if self.mirror and self.empties:
            raise ConfigError(
                "watching.mirror: expected false together with move_done or move_failed, received true",
                hint="moving an image away would remove its output",
            )

    @property
    def empties(self) -> bool:
        """Return whether images are moved out of SRC."""
        return bool(self.move_done or self.move_failed)
