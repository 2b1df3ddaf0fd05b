"""The script for fish: a ``complete`` command for each option, and tables of words with descriptions for the values."""

from collections.abc import Iterator, Mapping

from pixmill.cli.completion.interface import Flag, Interface, Line
from pixmill.cli.completion.script import script
from pixmill.cli.completion.words import FILE_SETTING, Values

GENERAL = {"help": "show the general help", "version": "show the version"}


def fish_script(known: Interface) -> str:
    """Return the script that completes ``known`` in fish."""
    return script("pixmill.fish", tables=_tables(known), valued=_valued(known), options=_options(known))


def _tables(known: Interface) -> Iterator[str]:
    tables: dict[str, Mapping[str, str]] = {"commands": {line.name: line.summary for line in known.lines}}
    for line in known.lines:
        tables.update({_name(flag): flag.values.words for flag in line.flags if flag.values and flag.values.words})
        tables.update({f"{line.name}-{each.name}": each.values.words for each in line.positions if each.values.words})
    for name, family in known.families.items():
        tables[name] = {f"{member}:" if each.needs_settings else member: each.description for member, each in family.items()}
        for member, each in family.items():
            tables[f"{name}/{member}"] = {f"{setting}=": text for setting, text in each.settings.items()}
            for setting, choices in each.choices.items():
                tables[f"{name}/{member}/{setting}"] = {FILE_SETTING: ""} if choices is None else choices
    for name, words in tables.items():
        if words:
            yield f"        case {_quoted(name)}"
            rows = " ".join(_quoted(f"{word}\t{text}" if text else word) for word, text in words.items())
            yield f"            printf '%s\\n' {rows}"


def _valued(known: Interface) -> Iterator[str]:
    flags = (each for line in known.lines for each in line.flags if each.values and not each.may_stand_alone)
    yield f"        {' '.join(dict.fromkeys(name for each in flags for name in each.names))}"


def _options(known: Interface) -> Iterator[str]:
    yield "complete -c pixmill -n __pixmill_uses -f -a '(__pixmill_table commands)'"
    for name, text in GENERAL.items():
        yield f"complete -c pixmill -n __pixmill_uses -l {name} -d {_quoted(text)}"
    for line in known.lines:
        yield from _positions(line)
    users: dict[str, list[str]] = {}
    for line in known.lines:
        for flag in line.flags:
            if not flag.is_hidden or flag.is_negation:
                users.setdefault(_option(flag), []).append(line.name)
    negated = {_option(flag) for line in known.lines for flag in line.flags if flag.is_negation}
    for option, commands in users.items():
        condition = f"__pixmill_uses {' '.join(commands)}" + ("; and __pixmill_negates" if option in negated else "")
        yield f"complete -c pixmill -n {_quoted(condition)} {option}"


def _positions(line: Line) -> Iterator[str]:
    """Yield what completes the arguments of one command: no names of files, but where one is due."""
    if any(position.is_repeatable for position in line.positions):
        return
    yield f"complete -c pixmill -n '__pixmill_uses {line.name}' -f"
    for number, position in enumerate(line.positions):
        words = _words(position.values, f"{line.name}-{position.name}") or "-F"
        yield f"complete -c pixmill -n '__pixmill_uses {line.name}; and __pixmill_at {number}' {words}"


def _option(flag: Flag) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in flag.names)
    values = "" if flag.values is None or flag.may_stand_alone else f" {_words(flag.values, _name(flag)) or '-r -F'}"
    return f"{names} -d {_quoted(flag.description)}{values}"


def _words(values: Values, name: str) -> str | None:
    """Return what completes ``values``; ``None`` for the names of files, as fish does by itself."""
    call = {
        "words": f"{'__pixmill_list' if values.is_list else '__pixmill_table'} {name}",
        "family": f"__pixmill_member {values.family}{' list' if values.is_list else ''}",
        "folder": "__pixmill_folders",
    }.get(values.kind)
    return f"-x -a '({call})'" if call else "-x" if values.kind == "none" else None


def _name(flag: Flag) -> str:
    return flag.names[-1].lstrip("-")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
