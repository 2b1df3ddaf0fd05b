"""The script for zsh: specifications for ``_arguments``, and tables of words with descriptions for the values."""

import re
from collections.abc import Iterable, Iterator, Mapping

from pixmill.cli.completion.interface import Flag, Interface, Line
from pixmill.cli.completion.script import script, single_quoted
from pixmill.cli.completion.words import FILE_SETTING, Values

GENERAL = {"--help": "show the general help", "--version": "show the version"}


def zsh_script(known: Interface) -> str:
    """Return the script that completes ``known`` in zsh."""
    return script("pixmill.zsh", tables=_tables(known), specs=_specs(known), negations=_negations(known))


def _tables(known: Interface) -> Iterator[str]:
    yield _row("commands", {**{line.name: line.summary for line in known.lines}, **GENERAL})
    for name, values in dict(_values(known)).items():
        yield _row(name, values.words)
    for name, family in known.families.items():
        yield _row(name, {f"{member}:" if each.needs_settings else member: each.description for member, each in family.items()})
        for member, each in family.items():
            if each.settings:
                yield _row(f"{name}/{member}", {f"{setting}=": text for setting, text in each.settings.items()})
            for setting, choices in each.choices.items():
                yield _row(f"{name}/{member}/{setting}", {FILE_SETTING: ""} if choices is None else choices)


def _values(known: Interface) -> Iterator[tuple[str, Values]]:
    """Yield the values of options and positions that are words, by the name of their table."""
    for line in known.lines:
        for flag in line.flags:
            if flag.values is not None and flag.values.kind == "words":
                yield flag.names[-1].removeprefix("--"), flag.values
        for position in line.positions:
            if position.values.kind == "words":
                yield f"{line.name}-{position.name}", position.values


def _specs(known: Interface) -> Iterator[str]:
    for line in known.lines:
        flags = [spec for flag in line.flags if not flag.is_negation for spec in _flag(flag)]
        yield from _case(line, "specs=", [*flags, *_positions(line)])


def _negations(known: Interface) -> Iterator[str]:
    for line in known.lines:
        if specs := [spec for flag in line.flags if flag.is_negation for spec in _flag(flag, hidden="")]:
            yield from _case(line, "specs+=", specs)


def _case(line: Line, assigns: str, specs: Iterable[str]) -> Iterator[str]:
    yield f"    {line.name}) {assigns}("
    yield from (f"      {single_quoted(spec)}" for spec in specs)
    yield "    ) ;;"


def _flag(flag: Flag, *, hidden: str = "!") -> Iterator[str]:
    """Yield the specification of each name of ``flag``; none is offered again unless it is repeatable."""
    others = "" if flag.is_repeatable else f"({' '.join(flag.names)})" if len(flag.names) > 1 else ""
    mark = hidden if flag.is_hidden else ""
    for name in flag.names:
        has_value = flag.values is not None
        takes = ("=" if name.startswith("--") else "+") if has_value and not flag.may_stand_alone else ""
        if flag.may_stand_alone:
            takes = "=-" if name.startswith("--") else "-"
        star = "*" if flag.is_repeatable else ""
        message = f"{':' if flag.may_stand_alone else ''}:{flag.names[-1].lstrip('-')}:" if has_value else ""
        action = _action(flag.values, flag.names[-1].lstrip("-")) if flag.values is not None else ""
        yield f"{mark}{others}{star}{name}{takes}[{_bracketed(flag.description)}]{message}{action}"


def _positions(line: Line) -> Iterator[str]:
    """Yield the specifications of the positional arguments; there is one for all if several words may stand in front."""
    for number, position in enumerate(line.positions, 1):
        where = "*" if position.is_repeatable else str(number)
        yield f"{where}:{position.name}:{_action(position.values, f'{line.name}-{position.name}')}"
        if position.is_repeatable:
            return


def _action(values: Values, name: str) -> str:
    """Return what _arguments does to complete ``values``; a blank before a function keeps arguments of its own away from it."""
    if values.kind == "words":
        return f" {'_pixmill_list' if values.is_list else '_pixmill_words'} {name}"
    if values.kind == "family":
        return f" _pixmill_member {values.family}{' list' if values.is_list else ''}"
    return {"file": "_files", "folder": "_files -/", "none": " "}[values.kind]


def _bracketed(text: str) -> str:
    return re.sub(r"([\[\]\\])", r"\\\1", text)


def _row(key: str, words: Mapping[str, str]) -> str:
    escaped = (re.sub(r"([:\\])", r"\\\1", word) + (f":{text}" if text else "") for word, text in words.items())
    return f"    {single_quoted(key)}) reply=({' '.join(map(single_quoted, escaped))}) ;;"
