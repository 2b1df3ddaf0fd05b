"""The contract of every command, and how a command line becomes a request to one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import ClassVar, TypeVar

import msgspec

from pixmill.batch.config.options import Option
from pixmill.cli.args.layers import from_environment, from_file
from pixmill.cli.args.parser import Argument, named, parse
from pixmill.cli.console import Console
from pixmill.core.model import Model, fields
from pixmill.core.registry import Registry

M = TypeVar("M", bound=Model)


class Request(msgspec.Struct, frozen=True):
    """What one command was asked: ``words`` by the name of their argument, ``values`` by option, all checked.

    Only what was given is there, a later layer in place of an earlier one: file, environment, flags.
    """

    words: dict[str, str]
    values: dict[str, object]

    def model(self, kind: type[M]) -> M:
        """Return the options that ``kind`` declares, with its defaults for what was not given."""
        names = {field.name for field in fields(kind)}
        return kind(**{name: value for name, value in self.values.items() if name in names})


class Command:
    """One command. The class docstring is its help: a line that says what it does, then what else one must know.

    ``arguments`` are its words, ``examples`` whole command lines. A new command is one new file in ``cli/commands``; the
    module's name is the command's.
    """

    arguments: ClassVar[tuple[Argument, ...]] = ()
    examples: ClassVar[tuple[str, ...]] = ()

    def __init__(self, request: Request, console: Console) -> None:
        """Take what was asked, and where to print."""
        self.request = request
        self.console = console

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of this command by name, in the order of its help."""
        return {}

    def execute(self) -> int:
        """Do it, and return the exit code. A ``PixmillError`` is reported by the caller."""
        raise NotImplementedError


commands: Registry[Command] = Registry("pixmill.cli.commands", Command, "command")


def declared(group: str, *models: type[Model], without: Collection[str] = ()) -> dict[str, Option]:
    """Return every field of ``models`` as an option of ``group`` in the help."""
    return {
        field.name: Option(field.name, group, model, field)
        for model in models
        for field in fields(model)
        if field.name not in without
    }  # fmt: skip


def every_option() -> dict[str, Option]:
    """Return the options of all commands together, those of the richest command first: the names that a variable may have."""
    found: dict[str, Option] = {}
    for options in sorted((command.options() for _, command in commands), key=len, reverse=True):
        for name, option in options.items():
            found.setdefault(name, option)
    return found


def request(command: type[Command], line: Sequence[str], environment: Mapping[str, str]) -> Request | None:
    """Return what ``line`` asks of ``command``, over the environment and the file of ``--config``; ``None`` for its help.

    ``ConfigError`` names the first thing that does not fit.
    """
    options = command.options()
    typed = parse(line, options)
    if typed.help:
        return None
    values = {**from_environment(environment, options, every_option), **typed.values}
    if values.get("config"):
        values = {**from_file(str(values["config"]), options), **values}
    words = named(typed.words, command.arguments)
    return Request({**_from_variables(command.arguments, environment), **words}, values)


def _from_variables(arguments: Iterable[Argument], environment: Mapping[str, str]) -> dict[str, str]:
    return {each.name: environment[each.variable] for each in arguments if environment.get(each.variable)}
