"""Convert a value to the declared type of a field, or explain in one sentence why that fails: *expected ..., received ...*.

msgspec checks the leaves; this module walks the containers, so that every message can name the wrong value.
"""

import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

_SIMILAR, _NEARLY_EQUAL = 0.6, 0.9  # of difflib's ratio, 0 to 1

DECODE_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError)


class InvalidValue(ValueError):
    """A value does not fit its type. ``path`` leads to the value inside the field: ``[2]``."""

    def __init__(self, expected: str, value: object, *, choices: Iterable[str] = (), path: str = "") -> None:
        """Compose the message from the ``expected`` type and the ``value`` received, with a suggestion from ``choices``."""
        suggestion = did_you_mean(value, choices) if isinstance(value, str) else ""
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
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        choices = [str(choice) for choice in get_args(base)] if get_origin(base) is Literal else []
        raise InvalidValue(expected(kind), value, choices=choices) from None


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
    if first_error is None or len(members) > 2:  # noqa: PLR2004  # for "X or None" the message of X is the best one
        raise InvalidValue(expected(union), value)
    raise first_error


def _tuple(value: object, member: Any) -> tuple[Any, ...]:  # noqa: ANN401  # any member type
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise InvalidValue("a list", value)
    return tuple(_member(entry, member, f"[{index}]") for index, entry in enumerate(value))


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
        return "one of " + ", ".join(str(choice) for choice in get_args(kind))
    if get_origin(kind) in (Union, types.UnionType):
        members = [expected(member) for member in get_args(kind) if member is not type(None)]
        return " or ".join(members) + _bounds(metadata)
    if hasattr(kind, "expected"):
        return str(kind.expected)
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


def did_you_mean(name: object, candidates: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` with the candidate closest to ``name``, or an empty string if none is close.

    Each word must be close: ``--target-size`` is no misspelt ``--shard-size``.
    """
    from difflib import SequenceMatcher, get_close_matches  # noqa: PLC0415  # few runs need a suggestion

    def similarity(one: str, other: str) -> float:
        return SequenceMatcher(None, one, other).ratio()

    text = str(name)
    words = _words(text)
    for match in get_close_matches(text, list(candidates), n=3, cutoff=_SIMILAR):
        others = _words(match)
        same_words = len(words) == len(others) and all(similarity(*pair) >= _SIMILAR for pair in zip(words, others, strict=True))
        if same_words or similarity(text, match) >= _NEARLY_EQUAL:
            return f"; did you mean '{match}'?"
    return ""


def _words(name: str) -> list[str]:
    return name.strip("-").lower().replace("_", "-").split("-")


def quoted(value: object) -> str:
    """Return ``value`` for a message: numbers and words as they are, text with spaces and empty text in quotes."""
    text = repr(value)
    if isinstance(value, str) and value.isprintable() and value and " " not in value:
        text = value
    max_length = 80
    return text if len(text) <= max_length else text[:max_length] + "..."
