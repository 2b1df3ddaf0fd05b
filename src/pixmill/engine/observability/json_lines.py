"""Encode values as JSON, one line each."""

import json
from collections.abc import Callable, Iterator, Mapping
from enum import Enum

import msgspec

from pixmill.core.events import Event
from pixmill.engine.task import Attempt, Done, Failed, Failure, Skipped, Task

#: returns the meaning of a result as plain data; the engine itself cannot interpret results
Explain = Callable[[bytes], object]
_PLAIN = frozenset({str, int, float, bool, type(None)})  # the most common types; checking the set takes half the time of matching
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def json_line(value: object, explain: Explain | None = None) -> str:
    """Return ``value`` as JSON on one line of plain ASCII, without a line break at its end.

    Bytes become text that ``os.fsencode`` turns back into the same bytes; nothing in it can control a terminal. A task is shown as
    its key, and the result of a done task as the value of ``explain``; without ``explain`` it is omitted.
    """
    return _encode(to_plain(value, explain))


def to_plain(value: object, explain: Explain | None = None) -> object:
    """Return ``value`` as data that JSON can represent."""
    if type(value) not in _PLAIN:
        match value:
            case msgspec.Struct():
                return dict(_fields(value, explain))
            case bytes():
                return value.decode("utf-8", "surrogateescape")
            case Enum():
                return value.value
            case Mapping():
                return {str(name): to_plain(item, explain) for name, item in value.items()}
            case tuple() | list():
                return [to_plain(item, explain) for item in value]
    return value


def _fields(record: msgspec.Struct, explain: Explain | None) -> Iterator[tuple[str, object]]:
    """Yield the fields of ``record``; tasks, attempts and outcomes are flattened, so that every event is flat."""
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
                yield name, {field: content for field, content in _fields(value, None) if content}
            case bytes() if isinstance(record, Skipped):
                pass  # for the ledger; the task was done before
            case bytes() if isinstance(record, Done):
                if explain:
                    yield name, to_plain(explain(value), explain)
            case _:
                yield name, to_plain(value, explain)
