"""The JSON schema of event lines, generated from the declarations of the events, for programs that follow a run."""

import inspect
import types
from collections.abc import Iterator, Mapping
from enum import Enum
from types import ModuleType
from typing import Any, Union, get_args, get_origin

import msgspec

from pixmill.batch.datasets import events as datasets
from pixmill.batch.item import ImageResult
from pixmill.batch.report.summary import Report
from pixmill.batch.watch import events as watching
from pixmill.core.events import Event
from pixmill.engine import events as running
from pixmill.engine.events import EVENTS_VERSION, WorkersSeen
from pixmill.engine.task import Attempt, Done, Failed, Failure, Skipped, Task

Schema = dict[str, Any]
PLAIN: Mapping[Any, str] = {int: "integer", float: "number", str: "string", bytes: "string", bool: "boolean", type(None): "null"}
TEXT: Schema = {"type": "string"}


def event_schema() -> Schema:
    """Return the schema of one line, JSON Schema 2020-12: one alternative for each kind of event."""
    kinds = [_event(event) for module in (running, watching, datasets) for event in _events(module)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"pixmill event line, version {EVENTS_VERSION}",
        "description": "One line of --json or --events. Fields and event kinds may be added without a new version.",
        "anyOf": [*kinds, _report()],
    }


def _events(module: ModuleType) -> Iterator[type[Event]]:
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if issubclass(kind, Event) and kind.__module__ == module.__name__ and kind is not WorkersSeen:
            yield kind


def _event(kind: type[Event]) -> Schema:
    """Return the schema of one kind as ``engine.observability.json_lines`` writes it: tasks, attempts and outcomes flattened."""
    head = {"event": {"const": kind.__struct_config__.tag}}
    fields = [field for field in msgspec.structs.fields(kind) if get_origin(field.type) not in (Union, types.UnionType)]
    union = [field for field in msgspec.structs.fields(kind) if field not in fields]
    described = {"description": inspect.cleandoc(kind.__doc__ or "").replace("``", "`").replace("\n", " ")}
    properties = dict(entry for field in fields for entry in _spread(field.encode_name, field.type))
    required = ["event", *properties]
    if any(Done in get_args(field.type) for field in union):
        return {**described, "anyOf": [_outcome(outcome, head, properties) for outcome in (Done, Failed, Skipped)]}
    for field in union:
        properties |= {name: schema for member in get_args(field.type) for name, schema in _spread(field.encode_name, member)}
    return {**described, "type": "object", "properties": {**head, **properties}, "required": required}


def _outcome(outcome: type[msgspec.Struct], head: Schema, more: Schema) -> Schema:
    fields = dict(entry for field in msgspec.structs.fields(outcome) for entry in _spread(field.encode_name, field.type))
    if outcome is Done:
        fields["result"] = _schema(ImageResult)
    elif outcome is Skipped:
        del fields["result"]  # is not written
    properties = {**head, **more, "outcome": {"const": outcome.__struct_config__.tag}, **fields}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _spread(name: str, kind: Any) -> Iterator[tuple[str, Schema]]:  # noqa: ANN401  # any declared type
    if kind is Task:
        yield "key", TEXT
    elif kind is Attempt:
        yield "key", TEXT
        yield "attempt", {"type": "integer"}
    else:
        yield name, _schema(kind)


def _schema(kind: Any) -> Schema:  # noqa: ANN401  # any declared type
    origin, members = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(member) for member in members]}
    if origin is tuple:
        return {"type": "array", "items": _schema(members[0])}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _schema(members[1])}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _record(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    return {"type": PLAIN[kind]}


def _record(kind: type[msgspec.Struct]) -> Schema:
    fields = msgspec.structs.fields(kind)
    properties = {field.encode_name: _schema(field.type) for field in fields}
    required = [field.encode_name for field in fields if field.required] if kind is Failure else list(properties)
    return {"type": "object", "properties": properties, "required": required}


def _report() -> Schema:
    """Return the schema of the last line of ``--json``."""
    fields = _record(Report)["properties"]
    fields["counts"]["properties"]["found"] = {"type": "integer"}
    computed = {"bytes_saved": {"type": "integer"}, "exit_code": {"type": "integer"}}
    properties = {"event": {"const": "report"}, **fields, **computed}
    description = "The last line of --json: the totals of the run."
    return {"description": description, "type": "object", "properties": properties, "required": list(properties)}
