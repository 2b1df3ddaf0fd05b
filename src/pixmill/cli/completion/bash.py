"""The script for bash: tables of words without descriptions, which bash does not show."""

from collections.abc import Iterator

from pixmill.cli.completion.interface import Interface, Line
from pixmill.cli.completion.script import script, single_quoted
from pixmill.cli.completion.words import FILE_SETTING, Member, Values

GENERAL = ("--help", "--version")


def bash_script(known: Interface) -> str:
    """Return the script that completes ``known`` in bash."""
    return script("pixmill.bash", tables=_tables(known))


def _tables(known: Interface) -> Iterator[str]:
    yield _row("commands", " ".join([*(line.name for line in known.lines), *GENERAL]))
    for line in known.lines:
        yield from _of_line(line)
    for name, kind in _kinds(known).items():
        yield f"    *{single_quoted(f' {name}')}) REPLY={single_quoted(kind)} ;;"
    for name, family in known.families.items():
        yield _row(name, " ".join(f"{member}:" if each.needs_settings else member for member, each in family.items()))
        for member, each in family.items():
            yield from _of_member(f"{name}/{member}", each)


def _kinds(known: Interface) -> dict[str, str]:
    """Return how to find the words for the value of each option, by the option's names, which mean the same in all commands."""
    flags = (each for line in known.lines for each in line.flags if each.values and not each.may_stand_alone)
    return {name: _kind(each.values) for each in flags for name in each.names if each.values}


def _of_line(line: Line) -> Iterator[str]:
    """Yield the rows of one command: its options, those that turn something off, and its positions."""
    yield _row(f"{line.name} -", " ".join(name for each in line.flags if not each.is_hidden for name in each.names))
    yield _row(f"{line.name} --no", " ".join(name for each in line.flags if each.is_negation for name in each.names))
    for number, position in enumerate(line.positions):
        pattern = single_quoted(f"{line.name} ") + "*[0-9]" if position.is_repeatable else single_quoted(f"{line.name} {number}")
        yield f"    {pattern}) REPLY={single_quoted(_kind(position.values))} ;;"


def _of_member(name: str, member: Member) -> Iterator[str]:
    if member.settings:
        yield _row(name, " ".join(f"{setting}=" for setting in member.settings))
    for setting, choices in member.choices.items():
        yield _row(f"{name}/{setting}", FILE_SETTING if choices is None else " ".join(choices))


def _kind(values: Values) -> str:
    """Return what the script reads about ``values``: words, or how to find them."""
    if values.kind == "family":
        return f"<{'families' if values.is_list else 'family'}> {values.family}"
    words = " ".join(values.words)
    if values.kind == "words":
        return f"<list> {words}" if values.is_list else words
    return f"<{values.kind}>"


def _row(key: str, words: str) -> str:
    return f"    {single_quoted(key)}) REPLY={single_quoted(words)} ;;"
