"""Converts the text of a flag or variable to a value that a model can validate, by the type that the model declares."""

import types
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import NODEFAULT, Meta
from msgspec.structs import FieldInfo

from pixmill.core.errors import ConfigError
from pixmill.core.model import Model
from pixmill.core.units import ByteSize, Duration, TimeLimit
from pixmill.core.validation import InvalidValue, convert, expected
from pixmill.core.variant import Variant

SWITCHES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
TEXT_ORIGINS = ("--", "PIXMILL_")  # of values whose members have no numbers that people could know
PLACEHOLDERS = {int: "N", float: "NUMBER", str: "TEXT", ByteSize: "BYTES", Duration: "TIME", TimeLimit: "TIME"}


def checked(value: object, kind: Any, origin: str) -> Any:  # noqa: ANN401  # any declared type
    """Return ``value`` (text or a TOML value) as ``kind``; ``ConfigError`` with a message that starts with ``origin``.

    ``origin`` is the source of the value: ``--workers``, ``PIXMILL_WORKERS``, ``job.toml: workers``.
    """
    try:
        return convert(_parsed(value, unwrapped(kind)), kind)
    except InvalidValue as wrong:
        path = "" if isinstance(value, str | list) and origin.startswith(TEXT_ORIGINS) else wrong.path
        raise ConfigError(f"{origin}{path}: {wrong}") from None


def unwrapped(kind: Any) -> Any:  # noqa: ANN401  # any declared type
    """Return ``kind`` without its bounds and without ``None``."""
    if get_origin(kind) is Annotated:
        return unwrapped(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        return unwrapped(members[0]) if len(members) == 1 else kind
    return kind


def is_repeatable(kind: Any) -> bool:  # noqa: ANN401  # any declared type
    """Return whether an option of this type may be repeated."""
    return get_origin(unwrapped(kind)) is tuple


def short_flag(kind: Any) -> tuple[str, ...]:  # noqa: ANN401  # any declared type
    """Return the short flag of an option of this type, if ``Meta(extra={"letter": "o"})`` declares one."""
    letter = extra(kind, "letter")
    return () if letter is None else (f"-{letter}",)


def value_if_bare(kind: Any) -> str | None:  # noqa: ANN401  # any declared type
    """Return the value of an option that is given without one, if ``Meta(extra={"alone": "8642"})`` declares it."""
    return extra(kind, "alone")


def extra(kind: Any, key: str) -> str | None:  # noqa: ANN401  # any declared type
    """Return the value that ``Meta(extra={key: ...})`` declares for this type: under ``no``, the value of ``--no-NAME``."""
    metas = [meta for meta in getattr(kind, "__metadata__", ()) if isinstance(meta, Meta) and meta.extra]
    return next((str(meta.extra[key]) for meta in metas if meta.extra and key in meta.extra), None)


def placeholder(kind: Any) -> str:  # noqa: ANN401  # any declared type
    """Return the placeholder for a value in the help: ``SIZE``, ``inside|cover``.

    ``Meta(extra={"value": "FILE"})`` sets it, for text with a more specific meaning.
    """
    for meta in getattr(kind, "__metadata__", ()):
        if isinstance(meta, Meta) and meta.extra and "value" in meta.extra:
            return str(meta.extra["value"])
    kind = unwrapped(kind)
    if get_origin(kind) is tuple:
        member = placeholder(get_args(kind)[0])
        return f"{member},..." if _splits_at_commas(unwrapped(get_args(kind)[0])) else member
    if get_origin(kind) is Literal:
        return "|".join(str(choice) for choice in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Variant):
        return str(kind.__struct_config__.tag_field).upper()
    return PLACEHOLDERS.get(kind) or str(getattr(kind, "__name__", "VALUE")).upper()


def _parsed(value: object, kind: Any) -> object:  # noqa: ANN401  # any declared type
    if get_origin(kind) is tuple:
        member = unwrapped(get_args(kind)[0])
        return [_parsed(entry, member) for entry in _entries(value, member)]
    if not isinstance(value, str):
        return str(value) if get_origin(kind) is Literal and type(value) is int else value  # depth = 8 means "8"
    if kind is bool:
        return SWITCHES.get(value.lower(), value)
    if kind in (int, float):
        return _number(value, kind)
    return value


def _entries(value: object, member: Any) -> Sequence[object]:  # noqa: ANN401  # any member type
    """Return the members of a tuple that was given as repeated flags, a TOML list, or the lines of a variable."""
    if isinstance(value, dict) and hasattr(member, "from_table"):
        value = member.from_table(value)
    items = value.splitlines() if isinstance(value, str) else value
    entries: list[object] = []
    for entry in items if isinstance(items, list | tuple) else [items]:
        if isinstance(entry, str) and _splits_at_commas(member):
            entries.extend(_split(entry, member))
        else:
            entries.append(entry)
    return entries


def _split(text: str, member: Any) -> list[str]:  # noqa: ANN401  # any member type
    """Split a list at its commas, except those between the settings of one entry: ``webp:quality=80,effort=best,jpeg`` has two."""
    entries: list[str] = []
    for part in text.split(","):
        if entries and ":" in entries[-1] and not _begins_entry(part, member):
            entries[-1] += f",{part}"
        else:
            entries.append(part.strip())
    return entries


def _begins_entry(part: str, member: Any) -> bool:  # noqa: ANN401  # any member type
    """Return whether ``part`` of a list begins with the name of an entry, unlike a setting or a part of its value."""
    name, _, _ = part.partition(":")
    if "=" in name or not hasattr(member, "named"):
        return False
    try:
        member.named(name.strip())
    except member.error:
        return False
    return True


def _splits_at_commas(member: Any) -> bool:  # noqa: ANN401  # any member type
    """Return whether a comma separates members. In free text, and in patterns of file names, it does not."""
    return member is not str and not getattr(member, "may_hold_commas", False)


def _number(text: str, kind: type[int] | type[float]) -> int | float | str:
    try:
        return kind(text)
    except ValueError:
        return text


def describe_type(kind: Any) -> str:  # noqa: ANN401  # any declared type
    """Describe the accepted values in words: *one of inside, cover*, *a list, each an integer of at least 1*."""
    base = unwrapped(kind)
    if get_origin(base) is tuple:
        return f"a list, each {describe_type(get_args(base)[0])}"
    if isinstance(base, type) and issubclass(base, Variant):
        return f"the {placeholder(base).lower()}'s name, optionally with settings: NAME:key=value,..."
    return expected(kind)


def default_text(field: FieldInfo) -> str:
    """Return the default of ``field`` as it would be typed; empty if the option has no effect until it is given."""
    default = field.default if field.default_factory is NODEFAULT else field.default_factory()
    return _as_typed(default)


def _as_typed(value: object) -> str:
    if value is None or value is NODEFAULT or isinstance(value, bool):
        return ""
    if isinstance(value, tuple):
        return ",".join(map(_as_typed, value))
    if isinstance(value, Variant):
        return str(value.__struct_config__.tag)
    if isinstance(value, Model):
        return ""
    return str(value.to_builtin() if hasattr(value, "to_builtin") else value)
