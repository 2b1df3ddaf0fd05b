"""What can be typed after ``pixmill``, in a form from which the scripts of all shells are written."""

from collections.abc import Iterator

import msgspec

from pixmill.batch.config.options import Option
from pixmill.cli.args.parser import Argument, flag
from pixmill.cli.args.values import extra, short_flag, unwrapped, value_if_bare
from pixmill.cli.command import Command, commands
from pixmill.cli.completion.words import Member, Values, families, short, values_of
from pixmill.cli.docs.help import summary


class Flag(msgspec.Struct, frozen=True):
    """An option as it is typed: all its ``names``, a description, and its ``values``, which a switch has not.

    ``is_hidden`` marks what is completed, but not offered: a name of other tools, or the negation of a switch until ``--no`` is
    typed. The value of one that ``may_stand_alone`` can be left out.
    """

    names: tuple[str, ...]
    description: str
    values: Values | None = None
    is_repeatable: bool = False
    is_hidden: bool = False
    may_stand_alone: bool = False

    @property
    def is_negation(self) -> bool:
        """Return whether this is offered once ``--no`` is typed."""
        return self.is_hidden and self.values is None


class Position(msgspec.Struct, frozen=True):
    """A positional argument: its name, its values, and whether several words may stand there."""

    name: str
    values: Values
    is_repeatable: bool


class Line(msgspec.Struct, frozen=True):
    """A command: its name and summary, its flags and its positional arguments."""

    name: str
    summary: str
    flags: tuple[Flag, ...]
    positions: tuple[Position, ...]


class Interface(msgspec.Struct, frozen=True):
    """All commands, and the families of values with settings."""

    lines: tuple[Line, ...]
    families: dict[str, dict[str, Member]]


def interface() -> Interface:
    """Return the interface that the declarations describe."""
    lines = [_line(name, command) for name, command in commands]
    helped = Position("COMMAND", Values("words", {line.name: line.summary for line in lines}), is_repeatable=False)
    return Interface((*lines, Line("help", "Show the help of a command", (), (helped,))), families())


def _line(name: str, command: type[Command]) -> Line:
    positions = tuple(Position(each.name, _position(each), each.repeatable) for each in command.arguments)
    options = command.options()
    flags = [each for option in options.values() for each in _flags(option)]
    flags += [
        Flag(names, short(argument.description), Values("file"), is_repeatable=argument.repeatable, is_hidden=True)
        for argument in command.arguments
        if (names := tuple(each for each in argument.flags if each.removeprefix("--") not in options))
    ]
    return Line(name, summary(command).rstrip("."), (*flags, Flag(("-h", "--help"), "show the help of this command")), positions)


def _position(argument: Argument) -> Values:
    if argument.choices is not None:
        return Values("words", {name: short(text) for name, text in argument.choices().items()})
    return Values("folder" if argument.is_folder else "file")


def _flags(option: Option) -> Iterator[Flag]:
    """Yield the flag of ``option``, and the one that turns it off."""
    kind, description = option.field.type, short(option.description)
    names, negation = (*short_flag(kind), flag(option.name)), flag("no_" + option.name)
    if unwrapped(kind) is bool:
        is_on = option.field.default is True
        yield Flag((negation,) if is_on else names, description)
        yield Flag(names if is_on else (negation,), f"turn off {flag(option.name)}", is_hidden=True)
        return
    values = values_of(kind)
    is_several = option.field.default == ()
    yield Flag(names, description, values, is_repeatable=is_several, may_stand_alone=value_if_bare(kind) is not None)
    if extra(kind, "no") is not None:
        yield Flag((negation,), f"turn off {flag(option.name)}", is_hidden=True)
