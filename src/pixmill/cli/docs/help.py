"""The output of ``--help``, generated from the declarations, at most 80 columns wide."""

import inspect
import textwrap
from collections.abc import Iterable, Iterator

from pixmill.batch.config.options import Option
from pixmill.cli.args.parser import Argument, flag
from pixmill.cli.args.values import default_text, placeholder, short_flag, unwrapped
from pixmill.cli.command import Command, commands

WIDTH = 80
COLUMN = 26  # where descriptions start

WELCOME = """\
pixmill resizes, converts and optimises folders of images on every core.

  pixmill run photos out                 fit into 1920x1920, as JPEG
  pixmill run photos out --size 800x600 --format webp
  pixmill plan photos out                show what a run would do

Stop it at any time; run it again to resume.

Commands:
{commands}

Use "pixmill COMMAND --help" for the options of a command, and
"pixmill explain" for the list of operations, formats, options and errors.
"""

VARIABLES = "Each option can also be set as an environment variable (--max-rate: PIXMILL_MAX_RATE). Flags override variables."
FILE = (
    "Each option can also be set as an environment variable (--max-rate: PIXMILL_MAX_RATE) or in the TOML file given with --config"
    ' (max_rate = "50/s"). Flags override variables, and variables override the file.'
)
ENDS = "--no-NAME turns a switch off. -- ends the options."


def welcome() -> str:
    """Return the general help: a short introduction and the list of commands."""
    summaries = ((name, summary(command)) for name, command in commands)
    return WELCOME.format(commands="\n".join(line for name, text in summaries for line in _entry(name, text, 12)))


def command_help(name: str, command: type[Command]) -> str:
    """Return the help of one command."""
    names = " ".join(map(_usage, command.arguments))
    parts = [f"pixmill {name} {names}".rstrip() + " [options]", _prose(command)]
    parts.extend(_section("Arguments", _arguments(command.arguments)))
    groups: dict[str, list[Option]] = {}
    for option in command.options().values():
        groups.setdefault(option.group, []).append(option)
    for group, options in groups.items():
        parts.extend(_section(group, (line for option in options for line in _option(option))))
    parts.extend(_section("Examples", (f"  {example}" for example in command.examples)))
    notes = [FILE, ENDS] if "config" in command.options() else [VARIABLES, ENDS]
    return "\n\n".join([*parts, textwrap.fill(" ".join(notes), WIDTH)])


def _usage(argument: Argument) -> str:
    name = argument.name + ("..." if argument.repeatable else "")
    return name if argument.required else f"[{name}]"


def summary(command: type[Command]) -> str:
    """Return the one-line summary of ``command``."""
    return inspect.cleandoc(command.__doc__ or "").splitlines()[0]


def _prose(command: type[Command]) -> str:
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(textwrap.fill(" ".join(text.replace("``", "").split()), WIDTH) for text in paragraphs)


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    body = list(lines)
    if body:
        yield "\n".join([f"{title}:", *body])


def _arguments(arguments: Iterable[Argument]) -> Iterator[str]:
    for argument in arguments:
        default = f" (default: ${argument.variable})" if argument.variable else ""
        yield from _entry(argument.name, argument.description + default, COLUMN)


def _option(option: Option) -> Iterator[str]:
    is_switch = unwrapped(option.field.type) is bool
    is_on = is_switch and option.field.default is True
    name = flag("no_" + option.name if is_on else option.name)
    default = default_text(option.field)
    text = option.description + (f" (default: {default})" if default else "")
    names = ", ".join([*short_flag(option.field.type), name])
    yield from _entry(names if is_switch else f"{names} {placeholder(option.field.type)}", text, COLUMN)


def _entry(name: str, text: str, column: int) -> Iterator[str]:
    """Yield ``name`` with ``text`` beside it, or below it if ``name`` is too long."""
    lines = textwrap.wrap(text, WIDTH - column) or [""]
    if len(name) + 4 > column:
        yield f"  {name}"
    else:
        yield f"  {name:{column - 2}}{lines.pop(0)}".rstrip()
    yield from (" " * column + line for line in lines)
