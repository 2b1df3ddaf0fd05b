"""Dates in names and texts, such as ``{date:%Y/%m}``."""

import re
from datetime import datetime

DEFAULT_FORMAT = "%Y-%m-%d"
EXPECTED = "a {date:FORMAT} that is made of text and one or more of %Y, %y, %m, %b, %d, %j, %H, %M, %S and %%"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # whatever the locale
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)


def check_format(text: str) -> None:
    """Raise ``ValueError`` if ``text`` is not a format of dates."""
    directives = set(_DIRECTIVE.findall(text))
    if not directives - {"%"} or not directives <= set("YymbdjHMS%"):
        raise ValueError(EXPECTED)


def dated(date: str, text: str = "") -> str:
    """Return ``date``, as ``2024-05-17T10:11:12``, in the format ``text``; empty if it is empty."""
    if not date:
        return ""
    moment = datetime.fromisoformat(date)
    values = {
        "Y": f"{moment.year:04}",
        "y": f"{moment.year % 100:02}",
        "m": f"{moment.month:02}",
        "b": _MONTHS[moment.month - 1],
        "d": f"{moment.day:02}",
        "j": f"{moment.timetuple().tm_yday:03}",
        "H": f"{moment.hour:02}",
        "M": f"{moment.minute:02}",
        "S": f"{moment.second:02}",
        "%": "%",
    }
    return _DIRECTIVE.sub(lambda found: values[found[1]], text or DEFAULT_FORMAT)
