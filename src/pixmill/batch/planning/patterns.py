"""Patterns such as ``*.jpg`` that reach pixmill because they were quoted: a shell expands them, pixmill does not."""

import re
import shlex
from glob import iglob
from itertools import islice
from pathlib import Path

from pixmill.core.errors import AddressError
from pixmill.core.humanize import plural
from pixmill.core.text import printable
from pixmill.storage.address import Address

_MAGIC = re.compile(r"[*?\[]|\{[^{}]*,[^{}]*\}")
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_MAX_COUNTED = 10_000  # files
_SHARDS = ("tar", "parquet")


def refuse_pattern(source: str, destination: str, *, is_only: bool = True) -> None:
    """Raise ``AddressError`` for a ``source`` that names nothing and is a pattern; the hint says how to write it.

    The hint is the whole command if this ``is_only`` source.
    """
    path = Address.parse(source).local
    if path is None or not _MAGIC.search(source) or path.exists() or path.is_symlink():
        return
    pattern = source.replace("\\", "/")
    count = sum(1 for each in _alternatives(pattern) for _ in islice(iglob(each, recursive=True), _MAX_COUNTED))  # noqa: PTH207  # absolute patterns
    folder, _ = _split(pattern)
    if count and not is_only:
        hint = f"write it without quotes, or give the folder {printable(folder)}"
        raise AddressError(f"SRC {printable(source)} does not exist; as a pattern it matches {plural(count, 'file')}", hint=hint)
    if count:
        unquoted = "" if "**" in pattern or shlex.split(pattern) != [pattern] else _command(pattern, destination) + ", or "
        message = f"SRC {printable(source)} does not exist; as a pattern it matches {plural(count, 'file')}, but it was quoted"
        raise AddressError(message, hint=f"write {unquoted}{including(source, destination)}")
    message = f"SRC {printable(source)} does not exist, and as a pattern it matches nothing"
    if not Path(folder).is_dir():
        raise AddressError(message, hint=f"there is no folder {printable(folder)}")
    raise AddressError(message, hint=f"for every image in the folder: {_command(shlex.quote(folder), destination)}")


def including(source: str, destination: str) -> str:
    """Return the command that processes the files matching the pattern ``source`` with ``--include``, or the shards in a folder."""
    folder, rest = _split(source.replace("\\", "/"))
    kind = next((kind for kind in _SHARDS if rest == f"*.{kind}"), None)
    if kind is not None:
        return _command(f"{kind}://{shlex.quote(folder)}", destination)
    options = "".join(f" --include {shlex.quote(each)}" for each in _alternatives(rest))
    return _command(shlex.quote(folder), destination) + options


def _command(source: str, destination: str) -> str:
    return printable(f"pixmill run {source} {shlex.quote(destination)}")


def _split(pattern: str) -> tuple[str, str]:
    """Return the folder before the first part with a wildcard, and the rest: ``a/**/*.jpg`` is ``*.jpg`` anywhere in ``a``."""
    parts = pattern.split("/")
    first = next((number for number, part in enumerate(parts) if _MAGIC.search(part)), len(parts) - 1)
    folder, rest = "/".join(parts[:first]), "/".join(parts[first:])
    return folder or ("/" if first else "."), re.sub(r"^(?:\*\*/)+", "", rest)


def _alternatives(pattern: str) -> list[str]:
    """Return the patterns that a shell makes of the braces in ``pattern``: ``*.jpg`` and ``*.png`` of ``*.{jpg,png}``."""
    braces = _BRACES.search(pattern)
    if braces is None:
        return [pattern]
    before, after = pattern[: braces.start()], pattern[braces.end() :]
    return [full for choice in braces[1].split(",") for full in _alternatives(before + choice + after)]
