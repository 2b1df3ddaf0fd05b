"""What exporters share: any record as inert JSON, and an error with a name when its file cannot be written."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import TextIO

import msgspec

from pixmill.core.errors import ConfigError, RunError
from pixmill.core.events import Event
from pixmill.core.text import printable
from pixmill.engine.observability.streams import is_stream, open_stream
from pixmill.engine.task import Attempt, Done, Failed, Failure, Skipped, Task

#: what a result means, as plain data; the engine itself does not know
Explain = Callable[[bytes], object]

_PLAIN = frozenset({str, int, float, bool, type(None)})  # most of what there is, and told in half the time that matching takes
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def line(value: object, explain: Explain | None = None) -> str:
    """Return ``value`` as JSON on one line of plain ASCII, without a line break at its end.

    Bytes become text that ``os.fsencode`` turns back into the same bytes; nothing in it can act on a terminal. A task is
    shown as its key; the result of a done one as ``explain`` says, or not at all.
    """
    return _encode(plain(value, explain))


def plain(value: object, explain: Explain | None = None) -> object:
    """Return ``value`` as what JSON can hold."""
    if type(value) not in _PLAIN:
        match value:
            case msgspec.Struct():
                return dict(_fields(value, explain))
            case bytes():
                return value.decode("utf-8", "surrogateescape")
            case Enum():
                return value.value
            case Mapping():
                return {str(name): plain(member, explain) for name, member in value.items()}
            case tuple() | list():
                return [plain(member, explain) for member in value]
    return value


def _fields(record: msgspec.Struct, explain: Explain | None) -> Iterator[tuple[str, object]]:
    """Yield the fields of ``record``; tasks, attempts and outcomes are spread out, so that every event is flat."""
    if isinstance(record, Event):
        yield "event", record.__struct_config__.tag
    for name in record.__struct_fields__:
        value = getattr(record, name)
        match value:
            case Task():
                yield "key", plain(value.key)
            case Attempt():
                yield "key", plain(value.task.key)
                yield "attempt", value.number
            case Done() | Failed() | Skipped():
                yield "outcome", value.__struct_config__.tag
                yield from _fields(value, explain)
            case Failure():
                yield name, {field: found for field, found in _fields(value, None) if found}
            case bytes() if isinstance(record, Done):
                if explain:
                    yield name, plain(explain(value), explain)
            case _:
                yield name, plain(value, explain)


@contextmanager
def replaced(path: Path) -> Iterator[TextIO]:
    """Open a file for text (UTF-8) that takes the place of ``path`` at the end of the block, whole or not at all.

    Where that is a link, the file behind it is replaced; where it is a device or a pipe, that is written to.
    """
    if is_stream(path):
        with open_stream(path, wait=False) as stream:
            yield stream
        return
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # of a dead process with this number, or a link of whoever may write here
        with temporary.open("x", encoding="utf-8") as file:
            yield file
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Turn an error in opening a file that the user named into a ``ConfigError``: nothing has run yet."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{printable(path)} cannot be written: {error.strerror}", hint="name another file") from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an error in writing to ``path`` into a ``RunError``: a run that cannot say what it does does not go on."""
    try:
        yield
    except OSError as error:
        message = f"{printable(path)} cannot be written any more: {error.strerror}"
        raise RunError(
            message, code="export", hint="free some space, or name another file, and run the same command again"
        ) from error
