"""Read SQL files, in which every statement has a name and a description."""

import pkgutil
import re

_STATEMENT = re.compile(r"^-- (?P<name>[a-z_]+): .+(?:\n--.*)*\n(?P<text>(?:(?!-- [a-z_]+: ).*\n)+)", re.MULTILINE)


def read_statements(package: str, file: str) -> dict[str, str]:
    """Return the statements of a ``file`` in ``package``, by name.

    Each begins with a comment ``-- name: Description.`` that may continue on further comment lines.
    """
    text = (pkgutil.get_data(package, file) or b"").decode()  # importlib.resources takes 10 ms to import
    return {match["name"]: match["text"].strip().rstrip(";") for match in _STATEMENT.finditer(text)}


def several(statement: str, count: int) -> str:
    """Return ``statement`` with ``count`` parameters in its list ``(?)``."""
    return statement.replace("(?)", f"({', '.join('?' * count)})")
