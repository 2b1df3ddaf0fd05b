"""Encode values as JSON, one line each."""

import json
from collections.abc import Callable, Iterator, Mapping
from enum import Enum

import msgspec

from pixmill.core.events import Event
from pixmill.core.name_text import escaped, name_text
from pixmill.engine.task import Attempt, Done, Failed, Failure, Skipped, Task

#: returns the meaning of a result as plain data; the engine itself cannot interpret results
Explain = Callable[[bytes], object]
_DIGESTS = frozenset({"digest", "mark"})  # fields of bytes that are no text
_PLAIN = frozenset({str, int, float, bool, type(None)})  # the most common types; checking the set takes half the time of matching
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def json_line(value: object, explain: Explain | None = None) -> str:
    """Return ``value`` as JSON on one line of plain ASCII, without a line break at its end.

    Names become text by ``name_text``, and digests hexadecimal; nothing in it can control a terminal. A task is shown as its key,
    and the result of a done task as the value of ``explain``; without ``explain`` it is omitted.
    """
    line = _encode(plain := to_plain(value, explain))
    return _encode(_escaped(plain)) if "\\ud" in line else line  # a lone surrogate, or a pair of them, which is a character


def to_plain(value: object, explain: Explain | None = None) -> object:
    """Return ``value`` as data that JSON can represent."""
    if type(value) not in _PLAIN:
        match value:
            case msgspec.Struct():
                return dict(_fields(value, explain))
            case bytes():
                return name_text(value)
            case Enum():
                return value.value
            case Mapping():
                return {str(name): to_plain(item, explain) for name, item in value.items()}
            case tuple() | list():
                return [to_plain(item, explain) for item in value]
    return value


def _escaped(value: object) -> object:
    """Return plain data without lone surrogates, which strict decoders refuse; they come from paths that are not UTF-8."""
    match value:
        case str():
            return escaped(value)
        case dict():
            return {escaped(name): _escaped(item) for name, item in value.items()}
        case list():
            return [_escaped(item) for item in value]
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
                yield name, value.hex() if isinstance(value, bytes) and name in _DIGESTS else to_plain(value, explain)
