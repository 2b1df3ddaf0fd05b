"""``Model``: the immutable, validated record that is the same in Python, TOML, JSON and on the wire.

A parameter is declared once, as a typed field with its description. From that one line come the check, the flag, the
TOML key, the JSON schema, the page of ``pixmill explain`` and the fingerprint. msgspec checks nothing that is built in
Python; ``Model`` does, with the same sentence for every error.
"""

import hashlib
import json
from functools import cache
from typing import Any, ClassVar, Self, get_args

import msgspec

from pixmill.core.errors import ConfigError
from pixmill.core.validation import InvalidValue, convert, did_you_mean


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An immutable record whose fields are checked however it was made.

    ``error`` is raised for a wrong field, with one sentence: *resize.width: expected an integer of at least 1,
    received 0*. ``label`` is the word in front of the dot.
    """

    error: ClassVar[type[ConfigError]] = ConfigError

    @classmethod
    def label(cls) -> str:
        """Return the name of this model in messages: its tag where it has one, else its class name in lower case."""
        tag = cls.__struct_config__.tag
        return str(tag) if tag else cls.__name__.lower()

    def __post_init__(self) -> None:
        """Check and normalise every field, so that a value built in Python is as good as one that was decoded."""
        for field in fields(type(self)):
            value = getattr(self, field.name)
            checked = self.checked(field.encode_name, field.type, value)
            if checked is not value:
                msgspec.structs.force_setattr(self, field.name, checked)

    @classmethod
    def checked(cls, name: str, kind: Any, value: object) -> Any:  # noqa: ANN401  # any field type
        """Return ``value`` as ``kind``; raise the class' error with the parameter sentence when it is not one."""
        try:
            return convert(value, kind)
        except InvalidValue as wrong:
            raise cls.error(f"{cls.label()}.{name}{wrong.where}: {wrong}") from None

    @classmethod
    def from_builtins(cls, data: object) -> Self:
        """Build the model from what TOML, JSON or a flag gave (a mapping); raise the class' error if it does not fit."""
        if isinstance(data, cls):
            return data
        if not isinstance(data, dict):
            raise cls.error(f"{cls.label()}: expected a table of settings, received {data!r}")
        config = cls.__struct_config__
        names = {field.encode_name: field for field in fields(cls)}
        values = {}
        for key, value in data.items():
            if config.tag_field and key == config.tag_field:
                continue
            if key not in names:
                raise cls.error(f"{cls.label()}.{key}: no such setting{did_you_mean(str(key), names)}")
            values[names[key].name] = value
        missing = [name for name, field in names.items() if field.required and field.name not in values]
        if missing:
            raise cls.error(f"{cls.label()}.{missing[0]}: expected a value, received none")
        return cls(**values)

    def to_builtins(self) -> dict[str, Any]:
        """Return the model as plain data: what TOML and JSON hold, quantities as text."""
        data: dict[str, Any] = msgspec.to_builtins(self, enc_hook=_to_builtin)
        return data

    def fingerprint(self) -> str:
        """Return 32 hex digits that change exactly when a value of the model does (defaults included)."""
        canonical = json.dumps(self.to_builtins(), sort_keys=True, separators=(",", ":"))
        return hashlib.blake2b(canonical.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()

    def evolve(self, **changes: object) -> Self:
        """Return a checked copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)


@cache
def fields(model: type[Model]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Return the declared fields of ``model``, in order."""
    return msgspec.structs.fields(model)


def describe_field(field: msgspec.structs.FieldInfo) -> str:
    """Return the description that was declared with ``field`` in ``Meta(description=...)``, or the empty string."""
    for kind in (field.type, *get_args(field.type)):  # an option that may be left out holds it in a member of its union
        for meta in getattr(kind, "__metadata__", ()):
            if isinstance(meta, msgspec.Meta) and meta.description:
                return meta.description
    return ""


def _to_builtin(value: Any) -> object:  # noqa: ANN401  # any custom value
    return value.to_builtin()
