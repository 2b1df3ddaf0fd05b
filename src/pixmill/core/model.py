"""``Model``: the immutable, validated record that is the same in Python, TOML, JSON and on the wire.

A parameter is declared once, as a typed field with its description. The check, the flag, the TOML key, the JSON schema, the
page of ``pixmill explain`` and the fingerprint all derive from that one line. msgspec does not validate instances that are
built in Python; ``Model`` does, with the same message for the same error.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Self, get_args

import msgspec

from pixmill.core.errors import ConfigError
from pixmill.core.suggestion import did_you_mean
from pixmill.core.validation import InvalidValue, convert


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An immutable record whose fields are always checked, decoded or built in Python.

    A wrong field raises ``error``, with one sentence: *resize.width: expected an integer of at least 1, received 0*.
    ``label`` is the word before the dot.
    """

    error: ClassVar[type[ConfigError]] = ConfigError
    #: Names that fields had in earlier versions: data that was written then is still read.
    former_names: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def label(cls) -> str:
        """Return the name of this model in messages: its tag if it has one, else its class name in lower case."""
        tag = cls.__struct_config__.tag
        return str(tag) if tag else cls.__name__.lower()

    def __post_init__(self) -> None:
        """Check and normalise every field, so that an instance built in Python is as valid as a decoded one."""
        for field in fields(type(self)):
            value = getattr(self, field.name)
            checked = self.checked(field.encode_name, field.type, value)
            if checked is not value:
                msgspec.structs.force_setattr(self, field.name, checked)

    @classmethod
    def checked(cls, name: str, kind: Any, value: object) -> Any:  # noqa: ANN401  # any field type
        """Return ``value`` as ``kind``; raise the class's error, naming the field, if it does not fit."""
        try:
            return convert(value, kind)
        except InvalidValue as invalid:
            raise cls.error(f"{cls.label()}.{name}{invalid.path}: {invalid}") from None

    @classmethod
    def from_builtins(cls, data: object) -> Self:
        """Build the model from a mapping, as TOML, JSON or a flag provides it; raise the class's error if it does not fit."""
        if isinstance(data, cls):
            return data
        if not isinstance(data, dict):
            raise cls.error(f"{cls.label()}: expected a table of settings, received {data!r}")
        config = cls.__struct_config__
        names = {field.encode_name: field for field in fields(cls)}
        values = {}
        for given, value in data.items():
            if config.tag_field and given == config.tag_field:
                continue
            key = cls.former_names.get(given, given)
            if key not in names:
                message = f"{cls.label()}.{key}: no such setting{did_you_mean(str(key), names)}"
                raise cls.error(message, hint=f"{cls.label()} has {', '.join(names) or 'no settings'}")
            values[names[key].name] = value
        missing = [name for name, field in names.items() if field.required and field.name not in values]
        if missing:
            raise cls.error(f"{cls.label()}.{missing[0]}: expected a value, received none")
        return cls(**values)

    def to_builtins(self) -> dict[str, Any]:
        """Return the model as plain data, as it is stored in TOML and JSON; quantities become text."""
        data: dict[str, Any] = msgspec.to_builtins(self, enc_hook=_to_builtin)
        return data

    def identity(self) -> dict[str, Any]:
        """Return the model as plain data, without fields that earlier versions did not have and that have their default.

        A model of an earlier version has the same identity. ``Meta(extra={"later": True})`` declares such a field.
        """
        return _identity(self, self.to_builtins())

    def fingerprint(self) -> str:
        """Return 32 hex digits that change if and only if a value of the model changes (defaults included)."""
        return fingerprint_of(self.identity())

    def evolve(self, **changes: object) -> Self:
        """Return a checked copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)


def _identity(model: Model, data: dict[str, Any]) -> dict[str, Any]:
    """Remove later fields with their default from ``data``, the plain form of ``model``, and from the models in it."""
    for field in fields(type(model)):
        value = getattr(model, field.name)
        if declared_extra(field, "later") and value == _default_of(field):
            del data[field.encode_name]
        elif isinstance(value, Model):
            _identity(value, data[field.encode_name])
        elif isinstance(value, tuple):
            for member, plain in zip(value, data[field.encode_name], strict=True):
                if isinstance(member, Model):
                    _identity(member, plain)
    return data


def _default_of(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def fingerprint_of(data: Mapping[str, object]) -> str:
    """Return 32 hex digits that change if and only if plain ``data`` changes."""
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(canonical.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


@cache
def fields(model: type[Model]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Return the declared fields of ``model``, in order."""
    return msgspec.structs.fields(model)


def describe_field(field: msgspec.structs.FieldInfo) -> str:
    """Return the description declared for ``field`` in ``Meta(description=...)``, or an empty string."""
    for kind in (field.type, *get_args(field.type)):  # an optional field has it in a member of its union
        for meta in getattr(kind, "__metadata__", ()):
            if isinstance(meta, msgspec.Meta) and meta.description:
                return meta.description
    return ""


def declared_extra(field: msgspec.structs.FieldInfo, key: str) -> Any:  # noqa: ANN401  # any declared value
    """Return what ``Meta(extra={key: ...})`` declares for ``field``, or ``None``."""
    for kind in (field.type, *get_args(field.type)):  # as above
        for meta in getattr(kind, "__metadata__", ()):
            if isinstance(meta, msgspec.Meta) and meta.extra and key in meta.extra:
                return meta.extra[key]
    return None


def _to_builtin(value: Any) -> object:  # noqa: ANN401  # any custom value
    return value.to_builtin()
