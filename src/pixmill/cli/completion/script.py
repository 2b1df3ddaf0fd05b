"""The texts of the scripts: a program for each shell in the folder ``scripts``, in which a line stands for the tables."""

import pkgutil
from collections.abc import Iterable

TABLES = "# tables\n"


def script(name: str, tables: Iterable[str]) -> str:
    """Return the script in the file ``name``, with the lines of ``tables``."""
    text = (pkgutil.get_data(__package__, f"scripts/{name}") or b"").decode()
    return text.replace(TABLES, "".join(f"{line}\n" for line in tables), 1)


def single_quoted(text: str) -> str:
    """Return ``text`` as one word of bash and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"
