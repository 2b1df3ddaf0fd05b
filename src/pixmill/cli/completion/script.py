"""The texts of the scripts: a program for each shell in the folder ``scripts``, in which comments stand for the tables."""

import pkgutil
from collections.abc import Iterable


def script(name: str, **tables: Iterable[str]) -> str:
    """Return the script in the file ``name``, with the lines of each table in place of the comment that names it."""
    text = (pkgutil.get_data(__package__, f"scripts/{name}") or b"").decode()
    for table, lines in tables.items():
        text = text.replace(f"# {table}\n", "".join(f"{line}\n" for line in lines), 1)
    return text


def single_quoted(text: str) -> str:
    """Return ``text`` as one word of bash and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"
