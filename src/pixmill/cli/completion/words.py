"""The words that complete a value, by the type that the model declares for it."""

import textwrap
import types
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from pixmill.batch.config.presets import NAMES, Preset, describe
from pixmill.batch.run import executors
from pixmill.cli.args.values import is_repeatable, placeholder, unwrapped
from pixmill.cli.docs.reference import topics
from pixmill.core.errors import ImageError, WorkerError, error_codes
from pixmill.core.model import describe_field, fields
from pixmill.core.variant import Variant
from pixmill.imaging.codec import Codec
from pixmill.imaging.formats import ALL, Allowed
from pixmill.imaging.operation import Operation

FILE_SETTING = "<file>"  # in the tables of scripts
MAX_DESCRIPTION = 72  # characters beside a word
Words = dict[str, str]  # a word, and its description or an empty text
#: what the help calls paths
PATHS: Mapping[str, Literal["file", "folder"]] = {"FILE": "file", "FOLDER": "folder"}
Kind = Literal["none", "words", "family", "file", "folder"]


class Values(msgspec.Struct, frozen=True):
    """What completes a value: nothing, ``words``, members of a ``family`` with their settings, or the names of files or folders.

    In a list, values are separated by commas.
    """

    kind: Kind
    words: Words = {}
    family: str = ""
    is_list: bool = False


class Member(msgspec.Struct, frozen=True):
    """A member of a family: what describes it, the words for its settings, and for their values; ``None`` for a file."""

    description: str
    settings: Words = {}
    choices: Mapping[str, Words | None] = {}
    needs_settings: bool = False


def short(text: str) -> str:
    """Return the beginning of a description, as long as it fits beside a word."""
    text = " ".join(text.replace("`", "").split()).rstrip(".")
    for separator in (" (default", "; ", ": "):
        if len(text) > MAX_DESCRIPTION or separator != ": ":
            text = text.partition(separator)[0]
    return textwrap.shorten(text, MAX_DESCRIPTION, placeholder=" ...")


def values_of(kind: Any) -> Values:  # noqa: ANN401  # any declared type
    """Return what completes the value of an option of type ``kind``."""
    member = get_args(unwrapped(kind))[0] if is_repeatable(kind) else kind
    named = {Operation: "operation", Codec: "format", Allowed: "allowed"}.get(unwrapped(member))
    if named is not None:
        return Values("family", family=named, is_list=is_repeatable(kind))
    name = placeholder(kind)
    if name in PATHS:
        return Values(PATHS[name])
    words = {word: short(text) for word, text in _words(kind, name).items()}
    return Values("words" if words else "none", words, is_list=is_repeatable(kind))


def _words(kind: Any, name: str) -> Words:  # noqa: ANN401  # any declared type
    """Return the words for a value of type ``kind``, which is called ``name`` in the help; none if they cannot be listed."""
    if name == "CODE":
        explained = topics()
        return {code: explained[code] for family in (ImageError, WorkerError) for code in error_codes(family)}
    if name == "EXECUTOR":
        return dict.fromkeys(executors().names(), "")
    if unwrapped(kind) == Preset:
        return {preset: describe(preset).audience for preset in NAMES}
    return dict.fromkeys(choices_of(get_args(unwrapped(kind))[0] if is_repeatable(kind) else kind), "")


def choices_of(kind: Any) -> Iterator[str]:  # noqa: ANN401  # any declared type
    """Yield the words that ``kind`` accepts; none for a number, a text or anything else that cannot be listed."""
    kind = unwrapped(kind)
    if kind is bool:
        yield from ("true", "false")
    elif get_origin(kind) is Literal:
        yield from map(str, get_args(kind))
    elif get_origin(kind) in (Union, types.UnionType):
        for each in get_args(kind):
            yield from choices_of(each)
    elif isinstance(listed := getattr(kind, "choices", None), tuple):
        yield from listed


def families() -> dict[str, dict[str, Member]]:
    """Return the members of each family by name: operations, formats to write, and formats to allow."""
    codecs = list(Codec.registry)
    return {
        "operation": {str(each.__struct_config__.tag): _member(each) for _, each in Operation.registry},
        "format": {name: _member(each) for name, each in codecs if each.follows_source or each.format.writable},
        "allowed": {
            ALL: Member("every format that is disabled by default"),
            **{name: _member(each) for name, each in codecs if not each.follows_source and each.format.opt_in},
        },
    }


def _member(variant: type[Variant]) -> Member:
    declared = fields(variant)
    return Member(
        short((variant.__doc__ or "").strip().partition("\n")[0]),
        {field.encode_name: short(describe_field(field)) for field in declared},
        {
            field.encode_name: None if placeholder(field.type) == "FILE" else dict.fromkeys(words, "")
            for field in declared
            if (words := list(choices_of(field.type))) or placeholder(field.type) == "FILE"
        },
        any(field.required for field in declared),
    )
