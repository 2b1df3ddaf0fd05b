"""``Watching``: how a folder is watched. Every option is a field, declared once, as those of a run are."""

from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.core.errors import ConfigError
from pixmill.core.model import Model
from pixmill.core.units import Duration


class WatchOptions(Model, frozen=True, kw_only=True):
    """How a folder is watched, and what becomes of its files."""

    error: ClassVar = ConfigError

    settle: Annotated[Duration, Meta(description="time that a file must stay the same before it is touched")] = Duration(2)
    poll: Annotated[
        Duration | None,
        Meta(description="look for changes this often instead of being told by the kernel; chosen by itself where it must be"),
    ] = None
    mirror: Annotated[bool, Meta(description="remove the outputs of images that were removed from SRC")] = False
    move_done: Annotated[
        str | None, Meta(description="move images here once they are done: SRC empties", extra={"value": "FOLDER"})
    ] = None
    move_failed: Annotated[str | None, Meta(description="move images here that failed", extra={"value": "FOLDER"})] = None

    def __post_init__(self) -> None:
        """Refuse what would undo itself."""
        super().__post_init__()
        if self.mirror and self.empties:
            raise ConfigError(
                "watching.mirror: expected false together with move_done or move_failed, received true",
                hint="an image that is moved away would take its output with it",
            )

    @property
    def empties(self) -> bool:
        """Tell whether images are moved away from SRC."""
        return bool(self.move_done or self.move_failed)
