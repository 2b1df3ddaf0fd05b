"""The output of ``--help``, generated from the declarations."""

import inspect
from collections.abc import Iterable, Iterator

from pixmill.batch.config.options import Option
from pixmill.cli.args.parser import Argument, flag
from pixmill.cli.args.values import default_text, placeholder, short_flag, unwrapped
from pixmill.cli.command import Command, commands
from pixmill.cli.docs.layout import Layout

COLUMN = 26  # where descriptions start
COMMAND_COLUMN = 14
EXAMPLE_COLUMN = 41

INTRODUCTION = "pixmill resizes, converts and optimises folders of images on every core."
FIRST_EXAMPLES = {
    "pixmill run photos out": "fit into 1920x1920, as JPEG",
    "pixmill run photos out --size 800x600 --format webp": "",
    "pixmill plan photos out": "show what a run would do",
}
RESUMING = "Stop it at any time; run it again to resume."
MORE = (
    'Use ``"pixmill COMMAND --help"`` for the options of a command, and ``"pixmill explain"`` for the list of operations, formats,'
    " options and errors."
)

VARIABLES = "Each option can also be set as an environment variable (--max-rate: PIXMILL_MAX_RATE). Flags override variables."
FILE = (
    "Each option can also be set as an environment variable (--max-rate: PIXMILL_MAX_RATE) or in the TOML file given with --config"
    ' (max_rate = "50/s"). Flags override variables, and variables override the file.'
)
ENDS = "--no-NAME turns a switch off. -- ends the options."


def welcome(layout: Layout) -> str:
    """Return the general help: a short introduction and the list of commands."""
    examples = [
        line
        for example, text in FIRST_EXAMPLES.items()
        for line in (layout.entry(f"  {example}", text, EXAMPLE_COLUMN) if text else layout.command_line(example))
    ]
    entries = [line for name, command in commands for line in layout.entry(f"  {name}", summary(command), COMMAND_COLUMN)]
    parts = [layout.fill(INTRODUCTION), "\n".join(examples), layout.fill(RESUMING)]
    return "\n\n".join([*parts, *layout.section("Commands", entries), layout.fill(MORE)])


def command_help(name: str, command: type[Command], layout: Layout) -> str:
    """Return the help of one command."""
    usage = layout.heading(f"pixmill {name}") + "".join(f" {_usage(each)}" for each in command.arguments) + " [options]"
    parts = [usage, *map(layout.fill, inspect.cleandoc(command.__doc__ or "").split("\n\n"))]
    parts.extend(layout.section("Arguments", _arguments(command.arguments, layout)))
    groups: dict[str, list[Option]] = {}
    for option in command.options().values():
        groups.setdefault(option.group, []).append(option)
    for group, options in groups.items():
        parts.extend(layout.section(group, (line for option in options for line in _option(option, layout))))
    parts.extend(layout.section("Examples", (line for example in command.examples for line in layout.command_line(example))))
    return "\n\n".join([*parts, layout.fill(" ".join(notes(command)))])


def notes(command: type[Command]) -> list[str]:
    """Return what is true of the options of every command."""
    return [FILE if "config" in command.options() else VARIABLES, ENDS]


def _usage(argument: Argument) -> str:
    name = argument.name + ("..." if argument.repeatable else "")
    return name if argument.required else f"[{name}]"


def summary(command: type[Command]) -> str:
    """Return the one-line summary of ``command``."""
    return inspect.cleandoc(command.__doc__ or "").splitlines()[0]


def _arguments(arguments: Iterable[Argument], layout: Layout) -> Iterator[str]:
    for argument in arguments:
        yield from layout.entry(f"  {argument.name}", argument_text(argument), COLUMN)


def argument_text(argument: Argument) -> str:
    """Return the description of ``argument``, with the variable that sets it."""
    return argument.description + (f" (default: ${argument.variable})" if argument.variable else "")


def _option(option: Option, layout: Layout) -> Iterator[str]:
    names, value = option_names(option)
    yield from layout.entry(f"  {', '.join(names)}{value and ' '}{value}", option_text(option), COLUMN)


def option_names(option: Option) -> tuple[tuple[str, ...], str]:
    """Return the flags of ``option`` that the help shows, and the placeholder of its value; empty for a switch."""
    is_switch = unwrapped(option.field.type) is bool
    is_on = is_switch and option.field.default is True
    names = (*short_flag(option.field.type), flag("no_" + option.name if is_on else option.name))
    return names, "" if is_switch else placeholder(option.field.type)


def option_text(option: Option) -> str:
    """Return the description of ``option``, with its default."""
    default = default_text(option.field)
    return option.description + (f" (default: {default})" if default else "")
