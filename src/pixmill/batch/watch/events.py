"""What happens while a folder is watched, besides what happens in every run."""

from pixmill.core.events import Event


class WatchStarted(Event, frozen=True, kw_only=True, tag="watch_started"):
    """Changes are heard of from now on: by ``method``, chosen for ``reason``. Comes again when the method changes."""

    method: str
    reason: str


class CaughtUp(Event, frozen=True, kw_only=True, tag="watch_caught_up"):
    """Everything that was there has been looked at, or everything that came has its outcome."""


class SourceLost(Event, frozen=True, kw_only=True, tag="source_lost"):
    """The folder is not there any more."""


class SourceReturned(Event, frozen=True, kw_only=True, tag="source_returned"):
    """The folder is there again, and is looked through."""


class SettingsChanged(Event, frozen=True, kw_only=True, tag="settings_changed"):
    """A file that says what to do has changed, and counts from now on."""


class SettingsRefused(Event, frozen=True, kw_only=True, tag="settings_refused"):
    """A file that says what to do has changed and is wrong; what it said before still counts."""

    message: str


class NameRefused(Event, frozen=True, kw_only=True, tag="name_refused"):
    """Images that came into a folder cannot be named, and wait until they are changed."""

    message: str


class SourceMoved(Event, frozen=True, kw_only=True, tag="source_moved"):
    """An image was moved out of the folder, to ``to``."""

    path: bytes
    to: str


class SourceKept(Event, frozen=True, kw_only=True, tag="source_kept"):
    """An image could not be moved out of the folder and stays."""

    path: bytes
    message: str


class OutputRemoved(Event, frozen=True, kw_only=True, tag="output_removed"):
    """The output ``name`` was removed, as its image was."""

    name: bytes
