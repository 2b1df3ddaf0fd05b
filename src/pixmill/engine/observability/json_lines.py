"""Values as JSON, one line each."""

import json
from collections.abc import Callable, Iterator, Mapping
from enum import Enum

import msgspec

from pixmill.core.events import Event
from pixmill.engine.task import Attempt, Done, Failed, Failure, Skipped, Task

#: what a result means, as plain data; the engine itself does not know
Explain = Callable[[bytes], object]
_PLAIN = frozenset({str, int, float, bool, type(None)})  # most of what there is, and told in half the time that matching takes
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def json_line(value: object, explain: Explain | None = None) -> str:
    """Return ``value`` as JSON on one line of plain ASCII, without a line break at its end.

    Bytes become text that ``os.fsencode`` turns back into the same bytes; nothing in it can act on a terminal. A task is
    shown as its key; the result of a done one as ``explain`` says, or not at all.
    """
    return _encode(to_plain(value, explain))


def to_plain(value: object, explain: Explain | None = None) -> object:
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
                return {str(name): to_plain(member, explain) for name, member in value.items()}
            case tuple() | list():
                return [to_plain(member, explain) for member in value]
    return value


def _fields(record: msgspec.Struct, explain: Explain | None) -> Iterator[tuple[str, object]]:
    """Yield the fields of ``record``; tasks, attempts and outcomes are spread out, so that every event is flat."""
    if isinstance(record, Event):
        yield "event", record.__struct_config__.tag
    for field_name, name in zip(record.__struct_fields__, record.__struct_encode_fields__, strict=True):
        value = getattr(record, field_name)
        match value:
            case Task():
                yield "key", to_plain(value.key)
            case Attempt():
                yield "key", to_plain(value.task.key)
                yield "attempt", value.number
            case Done() | Failed() | Skipped():
                yield "outcome", value.__struct_config__.tag
                yield from _fields(value, explain)
            case Failure():
                yield name, {field: found for field, found in _fields(value, None) if found}
            case bytes() if isinstance(record, Done):
                if explain:
                    yield name, to_plain(explain(value), explain)
            case _:
                yield name, to_plain(value, explain)
