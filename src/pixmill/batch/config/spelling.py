"""Write the flags of a sentence as the options are written elsewhere: in a TOML file, as a variable, or as a keyword of Python.

Messages and hints are composed with flags, for the command. ``--format webp`` is ``format = "webp"`` in a file,
``PIXMILL_FORMAT=webp`` in the environment, and ``format="webp"`` in Python.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec

from pixmill.batch.config.aliases import ALIASES, ALWAYS_ON
from pixmill.batch.config.options import Option, options
from pixmill.batch.config.pattern import Pattern
from pixmill.batch.naming.template import Template
from pixmill.core.errors import ConfigError
from pixmill.core.validation import InvalidValue, convert

_FLAG = re.compile(
    r"(?<![\w-])(?<!command's )--(?P<name>[a-z][a-z-]*)(?:[ =](?P<value>'[^']*'|[^\s]+?)(?=[,;:)]?(?:\s|$)|(?<!\.)\.$))?"
)
_COMMAND = re.compile(
    r"\bpixmill (?:--version|(?:run|plan|status|failures|retry|verify|prune|watch|report|bench|explain)\b(?: [^\s;,)]+)*)"
)
#: types of options that accept any word, so that a word after one of them may be the next one of the sentence
_FREE_TEXT = frozenset({str, Pattern, Template})
_PLACEHOLDER = re.compile(r"[A-Z]+|NxN|WxH")


class Spelling(msgspec.Struct, frozen=True):
    """How options are written somewhere: ``pair`` is the format of a name and a value, several are joined with ``joint``.

    ``other`` is the format of a flag that is an option of the command only.
    """

    name: str
    pair: str
    true: str
    joint: str
    other: str = "{}"
    is_quoted: bool = True


IN_FILE = Spelling("{}", "{} = {}", "true", ", ")
IN_ENVIRONMENT = Spelling("PIXMILL_{}", "PIXMILL_{}={}", "1", " ", is_quoted=False)
IN_PYTHON = Spelling("{}", "{}={}", "True", ", ", other="the command's {}")


def respelled(text: str, spelling: Spelling) -> str:
    """Return ``text`` with its flags in ``spelling``; the command lines in it stay as they are."""
    parts = []
    end = 0
    for command in _COMMAND.finditer(text):
        parts += [_in_prose(text[end : command.start()], spelling), command[0]]
        end = command.end()
    return "".join([*parts, _in_prose(text[end:], spelling)])


def _in_prose(text: str, spelling: Spelling) -> str:
    if spelling.is_quoted:
        text = re.sub(r"\bSRC\b", "source", re.sub(r"\bDST\b", "destination", text))
    parts = [""]
    end = 0
    for match in _FLAG.finditer(text):
        between = text[end : match.start()]
        parts += [spelling.joint if between == " " and "=" in parts[-1] else between, _spelled(match, spelling)]
        end = match.end()
    return "".join([*parts, text[end:]])


def _spelled(match: re.Match[str], spelling: Spelling) -> str:
    name = match["name"].replace("-", "_")
    option = options().get(name)
    rest = match[0].removeprefix(f"--{match['name']}")
    shown = name if spelling.is_quoted else name.upper()
    if option is None:
        is_known = name in ALIASES or name in ALWAYS_ON
        return spelling.name.format(shown) + rest if is_known else spelling.other.format(match[0])
    value = (match["value"] or "").strip("'")
    if _is_value(option, value):
        return spelling.pair.format(shown, _literal(option, value) if spelling.is_quoted else value)
    return (spelling.pair.format(shown, spelling.true) if _is_switch(option) else spelling.name.format(shown)) + rest


def _is_value(option: Option, word: str) -> bool:
    """Tell whether ``word`` is a value of ``option``, not the next word of the sentence."""
    if not word or _is_switch(option):
        return False
    if _PLACEHOLDER.fullmatch(word) or any(mark in word for mark in "=:{*"):
        return True
    if not _FREE_TEXT.isdisjoint(_types(option.field.type)):
        return False
    try:
        convert(_parts(word) if _is_list(option) else _number_or_text(word), option.field.type)
    except (InvalidValue, ConfigError):
        return False
    return True


def _is_switch(option: Option) -> bool:
    return bool in _types(option.field.type)


def _is_list(option: Option) -> bool:
    return any(get_origin(each) is tuple for each in _types(option.field.type))


def _types(kind: Any) -> Iterator[Any]:  # noqa: ANN401  # any declared type
    """Yield ``kind`` and the types that it is made of."""
    yield kind
    for member in get_args(kind):
        yield from _types(member)


def _parts(text: str) -> list[int | str]:
    """Return the members of a list that is written with commas, which settings have, too."""
    return [text] if "=" in text else [_number_or_text(part) for part in text.split(",")]


def _number_or_text(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _literal(option: Option, value: str) -> str:
    literal = _parts(value) if _is_list(option) else _number_or_text(value)
    return json.dumps(literal, ensure_ascii=False)
