"""The contract of every command, and the translation of a command line into a request."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import ClassVar, TypeVar

import msgspec

from pixmill.batch.config.aliases import ALIASES
from pixmill.batch.config.options import Option
from pixmill.cli.args.dashes import refuse_options_after_names
from pixmill.cli.args.layers import from_environment, from_file
from pixmill.cli.args.parser import Argument, named, parse
from pixmill.cli.console import Console
from pixmill.core.model import Model, fields
from pixmill.core.registry import Registry

M = TypeVar("M", bound=Model)


class Request(msgspec.Struct, frozen=True):
    """A validated request to one command: the words of its ``arguments`` by name, and the ``values`` of options by name.

    Contains only what was given. Flags override the environment, which overrides the file. ``typed`` are the names of the options
    that were given as flags: variables are shared by all commands, flags are meant for this one.
    """

    arguments: dict[str, tuple[str, ...]]
    values: dict[str, object]
    typed: frozenset[str] = frozenset()

    def model(self, kind: type[M]) -> M:
        """Return the options that ``kind`` declares, with defaults for those that were not given."""
        names = {field.name for field in fields(kind)}
        return kind(**{name: value for name, value in self.values.items() if name in names})


class Command:
    """One command. The class docstring is its help: a one-line summary, then the details.

    ``arguments`` are its positional arguments, ``examples`` complete command lines, ``not_here`` what to do instead about an option
    that only other commands have. A command that ``is_portable`` needs neither workers nor a ledger, and so works on every system.
    To add a command, add one file to ``cli/commands``; the module's name is the command's.
    """

    arguments: ClassVar[tuple[Argument, ...]] = ()
    examples: ClassVar[tuple[str, ...]] = ()
    not_here: ClassVar[str] = ""
    is_portable: ClassVar[bool] = False

    def __init__(self, request: Request, console: Console) -> None:
        """Store the request and the console to print to."""
        self.request = request
        self.console = console

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of this command by name, in the order in which its help lists them."""
        return {}

    def execute(self) -> int:
        """Run the command and return the exit code. The caller reports a ``PixmillError``."""
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
    """Return the options of all commands combined, those of the command with the most options first.

    Their names are the valid names of environment variables.
    """
    combined: dict[str, Option] = {}
    for options in sorted((command.options() for _, command in commands), key=len, reverse=True):
        for name, option in options.items():
            combined.setdefault(name, option)
    return combined


def request(command: type[Command], line: Sequence[str], environment: Mapping[str, str]) -> Request | None:
    """Return the request that ``line``, the environment and the file of ``--config`` make to ``command``; ``None`` for its help.

    Raises ``ConfigError`` for the first invalid argument, option or value.
    """
    options = command.options()
    parsed = parse(line, options, command.arguments, other_commands=partial(_other_commands, command))
    if parsed.help:
        return None
    refuse_options_after_names(line, options)
    values = {**from_environment(environment, options, every_option), **parsed.values}
    if values.get("config"):
        values = {**from_file(str(values["config"]), options), **values}
    left = [argument for argument in command.arguments if argument.name not in parsed.arguments]
    arguments = {**parsed.arguments, **named(parsed.positionals, left)}
    return Request({**_from_variables(command.arguments, environment), **arguments}, values, frozenset(parsed.values))


def _other_commands(command: type[Command], name: str) -> str:
    """Return which commands have the option, or the alias, ``name``, and what to do about it; empty if none has."""
    option = ALIASES[name].option if name in ALIASES else name
    others = [each for each, other in commands if option in other.options()]
    if not others:
        return ""
    listed = ", ".join(others[:-1]) + f" and {others[-1]}" if len(others) > 1 else others[0]
    subject = "it is" if option == name else f"it is another name for --{option.replace('_', '-')},"
    return f"{subject} an option of pixmill {listed}{command.not_here and '; '}{command.not_here}"


def _from_variables(arguments: Iterable[Argument], environment: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {each.name: (environment[each.variable],) for each in arguments if environment.get(each.variable)}
