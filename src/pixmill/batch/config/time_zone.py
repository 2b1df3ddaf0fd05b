"""``TimeZone``: the time zone in which the dates of files are told."""

from datetime import UTC, datetime
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from pixmill.core.validation import InvalidValue

_ANSWER = "names are those of the IANA database, as in /usr/share/zoneinfo; some systems have it in the package tzdata"


class TimeZone:
    """A time zone by its name in the IANA database: ``UTC``, ``Europe/Berlin``."""

    __slots__ = ("name",)
    expected: ClassVar[str] = "a time zone that this machine knows, such as UTC or Europe/Berlin"

    def __init__(self, name: str = "UTC") -> None:
        """Store the name."""
        self.name = name

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse a name. Raise ``InvalidValue`` if this machine does not know it."""
        zone = cls(str(value).strip())
        try:
            zone.local("2024-01-01T00:00:00Z")
        except (OSError, ValueError, KeyError) as error:  # KeyError: ZoneInfoNotFoundError
            raise InvalidValue(cls.expected, value, answer=_ANSWER) from error
        return zone

    def local(self, date: str) -> str:
        """Return ``date``, which ends in ``Z``, by the clocks of the zone and without the ``Z``; any other date as it is."""
        if not date.endswith("Z"):
            return date
        moment = datetime.fromisoformat(date)
        zone = UTC if self.name == "UTC" else ZoneInfo(self.name)
        return moment.astimezone(zone).replace(tzinfo=None).isoformat()

    def to_builtin(self) -> str:
        """Return the name."""
        return self.name

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    def __eq__(self, other: object) -> bool:
        """Compare by name."""
        return isinstance(other, TimeZone) and self.name == other.name

    def __hash__(self) -> int:
        """Hash by name."""
        return hash(self.name)
