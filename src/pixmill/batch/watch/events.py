"""Events of a watch, in addition to those of every run."""

from pixmill.core.events import Event


class WatchStarted(Event, frozen=True, kw_only=True, tag="watch_started"):
    """Changes are detected from now on, with ``method``, chosen for ``reason``. Published again if the method changes."""

    method: str
    reason: str


class CaughtUp(Event, frozen=True, kw_only=True, tag="watch_caught_up"):
    """All existing files have been checked, and all images that have arrived have an outcome."""


class SourceLost(Event, frozen=True, kw_only=True, tag="source_lost"):
    """The watched folder no longer exists."""


class SourceReturned(Event, frozen=True, kw_only=True, tag="source_returned"):
    """The watched folder exists again and is listed again."""


class SettingsChanged(Event, frozen=True, kw_only=True, tag="settings_changed"):
    """A configuration file has changed and is in effect from now on."""


class SettingsRefused(Event, frozen=True, kw_only=True, tag="settings_refused"):
    """A configuration file has changed and is invalid; the previous configuration stays in effect."""

    message: str


class NameRefused(Event, frozen=True, kw_only=True, tag="name_refused"):
    """Images that arrived in a folder cannot be named; they wait until they change."""

    message: str


class SourceMoved(Event, frozen=True, kw_only=True, tag="source_moved"):
    """An image was moved from the watched folder to ``to``."""

    path: bytes
    to: str


class SourceKept(Event, frozen=True, kw_only=True, tag="source_kept"):
    """An image could not be moved and stays in the watched folder."""

    path: bytes
    message: str


class OutputRemoved(Event, frozen=True, kw_only=True, tag="output_removed"):
    """The output ``name`` was removed because its source was removed."""

    name: bytes
