"""Convert a value to the declared type of a field, or explain in one sentence why that fails: *expected ..., received ...*.

msgspec checks the leaves; this module walks the containers, so that every message can name the wrong value.
"""

import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from pixmill.core.suggestion import did_you_mean

DECODE_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError)


class InvalidValue(ValueError):
    """A value does not fit its type. ``path`` leads to the value inside the field: ``[2]``."""

    def __init__(self, expected: str, value: object, *, choices: Iterable[str] = (), answer: str = "", path: str = "") -> None:
        """Compose the message from the ``expected`` type and the ``value`` received, with ``answer`` or one of ``choices``."""
        suggestion = f"; {answer}" if answer else did_you_mean(value, choices) if isinstance(value, str) else ""
        super().__init__(f"expected {expected}, received {quoted(value)}{suggestion}")
        self.path = path


def convert(value: object, kind: Any) -> Any:  # noqa: ANN401  # any declared type
    """Return ``value`` as ``kind``: a scalar, quantity, Model, ``Literal``, union, tuple or mapping; else ``InvalidValue``."""
    origin = get_origin(kind)
    base = get_args(kind)[0] if origin is Annotated else kind
    if get_origin(base) in (Union, types.UnionType):
        return _one_of(value, base, getattr(kind, "__metadata__", ()))
    if get_origin(base) is tuple:
        return _tuple(value, get_args(base)[0])
    if get_origin(base) in (dict, Mapping):
        return _mapping(value, get_args(base)[1])
    return _leaf(value, kind, base)


def _leaf(value: object, kind: Any, base: Any) -> Any:  # noqa: ANN401  # any declared type
    if isinstance(base, type):
        for parser in ("from_builtins", "from_builtin"):
            if hasattr(base, parser):
                return value if isinstance(value, base) else _parse(getattr(base, parser), value)
    try:
        return msgspec.convert(_declared(kind, "synonyms").get(value, value) if isinstance(value, str) else value, kind)
    except msgspec.ValidationError:
        choices = [str(choice) for choice in get_args(base)] if get_origin(base) is Literal else []
        answer = _declared(kind, "answers").get(value, "") if isinstance(value, str) else ""
        raise InvalidValue(expected(kind), value, choices=choices, answer=answer) from None


def _declared(kind: Any, key: str) -> Mapping[str, str]:  # noqa: ANN401  # any declared type
    """Return what ``Meta(extra={key: ...})`` declares for a choice of words.

    ``synonyms`` are words for one of the choices, ``answers`` what to tell people who use a word that is none.
    """
    metadata = getattr(kind, "__metadata__", ())
    return next((meta.extra[key] for meta in metadata if isinstance(meta, msgspec.Meta) and meta.extra and key in meta.extra), {})


def _parse(parser: Any, value: object) -> Any:  # noqa: ANN401  # a classmethod of any type
    try:
        return parser(value)
    except ValueError as error:
        if isinstance(error, InvalidValue):
            raise
        raise InvalidValue(str(error), value) from None


def _one_of(value: object, union: Any, bounds: tuple[Any, ...]) -> Any:  # noqa: ANN401  # any union
    """Return ``value`` as the first member it fits; ``bounds`` declared for the union apply to each member."""
    members = get_args(union)
    if value is None and type(None) in members:
        return None
    first_error: InvalidValue | None = None
    for member in members:
        if member is type(None):
            continue
        try:
            return convert(value, Annotated[member, *bounds] if bounds else member)
        except InvalidValue as error:
            first_error = first_error or error
    if first_error is None or len(set(members) - {type(None)}) > 1:  # for "X or None" the message of X is the best one
        raise InvalidValue(expected(union), value)
    raise first_error


def _tuple(value: object, member: Any) -> tuple[Any, ...]:  # noqa: ANN401  # any member type
    if isinstance(value, Mapping) and hasattr(member, "from_table"):
        value = member.from_table(value)
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise InvalidValue("a list" if isinstance(value, Mapping) else f"a list, such as {_example(value)}", value)
    return tuple(_member(entry, member, f"[{index}]") for index, entry in enumerate(value))


def _example(value: object) -> str:
    """Return a list with ``value``, as it is written in TOML and in Python; its parts, if it has commas."""
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) and "=" not in value else [value]
    return "[" + ", ".join(f'"{part}"' if isinstance(part, str) and not part.isdecimal() else str(part) for part in parts) + "]"


def _mapping(value: object, member: Any) -> dict[str, Any]:  # noqa: ANN401  # any member type
    if not isinstance(value, Mapping):
        raise InvalidValue("a table of settings", value)
    return {str(key): _member(entry, member, f".{key}") for key, entry in value.items()}


def _member(value: object, kind: Any, path: str) -> Any:  # noqa: ANN401  # any member type
    try:
        return convert(value, kind)
    except InvalidValue as error:
        error.path = path + error.path
        raise


def expected(kind: Any) -> str:  # noqa: ANN401  # any declared type
    """Describe the values that ``kind`` accepts: *an integer of at least 1*, *one of inside, cover*."""
    metadata: tuple[Any, ...] = ()
    if get_origin(kind) is Annotated:
        kind, *annotations = get_args(kind)
        metadata = tuple(annotations)
    if get_origin(kind) is Literal:
        return ("one of " if len(get_args(kind)) > 1 else "") + ", ".join(str(choice) for choice in get_args(kind))
    if get_origin(kind) in (Union, types.UnionType):
        members = [expected(member) for member in get_args(kind) if member is not type(None)]
        return " or ".join(members) + _bounds(metadata)
    if hasattr(kind, "expected"):
        return str(kind.expected)
    if get_origin(kind) in (dict, Mapping):
        return "a table of settings"
    words = {int: "an integer", float: "a number", str: "text", bool: "true or false", bytes: "bytes"}
    return words.get(kind, getattr(kind, "__name__", str(kind)).lower()) + _bounds(metadata)


def _bounds(metadata: tuple[Any, ...]) -> str:
    for meta in metadata:
        low = meta.ge if meta.ge is not None else meta.gt
        high = meta.le if meta.le is not None else meta.lt
        if low is not None and high is not None:
            return f" from {low} to {high}"
        if low is not None:
            return f" of at least {low}" if meta.ge is not None else f" above {low}"
        if high is not None:
            return f" of at most {high}" if meta.le is not None else f" below {high}"
        if meta.min_length:
            return f" of at least {meta.min_length} characters"
    return ""


def quoted(value: object) -> str:
    """Return ``value`` for a message: numbers and words as they are, text with spaces and empty text in quotes."""
    text = repr(value)
    if isinstance(value, str) and value.isprintable() and value and " " not in value:
        text = value
    max_length = 80
    return text if len(text) <= max_length else text[:max_length] + "..."
