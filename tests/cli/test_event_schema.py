"""The published schema of event lines, checked against the lines that a run actually writes."""

import json

from pixmill.cli.docs.event_schema import event_schema

PYTHON = {"integer": int, "number": (int, float), "string": str, "boolean": bool, "null": type(None), "object": dict, "array": list}


def fits(value, schema):
    """Tell whether ``value`` is what ``schema`` describes, and has nothing that it does not describe."""
    if "anyOf" in schema:
        return any(fits(value, choice) for choice in schema["anyOf"])
    if "const" in schema:
        return value == schema["const"]
    return isinstance(value, PYTHON[schema["type"]]) and members_fit(value, schema)


def members_fit(value, schema):
    if schema["type"] == "array":
        return all(fits(member, schema["items"]) for member in value)
    if "additionalProperties" in schema:
        return all(fits(member, schema["additionalProperties"]) for member in value.values())
    if schema["type"] == "object":
        known = schema["properties"]
        return set(schema["required"]) <= set(value) <= set(known) and all(fits(value[name], known[name]) for name in value)
    return True


def test_every_line_of_a_run_fits_the_schema(pixmill, photos):
    (photos / "bad.jpg").write_bytes(b"no picture")
    schema = event_schema()
    for _ in ("the first run does the work", "the second remembers"):
        lines = [json.loads(line) for line in pixmill("run", photos, "out", "--json").stdout.splitlines()]
        assert {"run_started", "task_finished", "run_ended", "report"} <= {line["event"] for line in lines}
        assert [line for line in lines if not fits(line, schema)] == []


def test_a_line_that_lost_a_field_or_got_another_type_does_not_fit():
    schema = event_schema()
    line = {"event": "run_started", "at": 1.5, "run": 1, "workers": 2, "version": 1}
    assert fits(line, schema)
    assert not fits({**line, "workers": "2"}, schema)
    assert not fits({name: value for name, value in line.items() if name != "run"}, schema)
    assert not fits({**line, "more": 1}, schema)
