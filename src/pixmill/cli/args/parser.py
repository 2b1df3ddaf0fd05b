"""Flags, from the same declarations as everything else: argparse splits the line, and the models validate the values.

Each ``Option`` has one flag: its name with dashes. A switch, and an option that declares a value for it, also has ``--no-NAME``.
The flag of a list may be repeated.
"""

import argparse
import itertools
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

import msgspec

from pixmill.batch.config.aliases import ALIASES, ALWAYS_ON, ALWAYS_ON_SHORT_FLAGS, Alias, canonical, unknown
from pixmill.batch.config.options import Option
from pixmill.cli.args.dashes import with_two_dashes
from pixmill.cli.args.values import checked, describe_type, extra, is_repeatable, short_flag, unwrapped, value_if_bare
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable
from pixmill.core.validation import quoted


class Argument(msgspec.Struct, frozen=True):
    """A positional argument. ``variable`` is the environment variable that sets its default.

    ``flags`` set it, too, for people who are used to them from other tools. One that is ``repeatable`` takes several words.
    It is a path, that of a folder if ``is_folder``, unless ``choices`` returns the words that it accepts, each with a description.
    """

    name: str
    description: str
    variable: str = ""
    required: bool = True
    flags: tuple[str, ...] = ()
    repeatable: bool = False
    is_folder: bool = False
    choices: Callable[[], Mapping[str, str]] | None = None


class ParsedLine(msgspec.Struct, frozen=True):
    """A validated command line: ``positionals`` in order, ``values`` by option, ``arguments`` that were given by a flag.

    All are empty if ``help`` was requested.
    """

    positionals: tuple[str, ...]
    values: dict[str, object]
    arguments: dict[str, tuple[str, ...]] = {}
    help: bool = False


class _Parser(argparse.ArgumentParser):
    """argparse without its own help and error output."""

    def __init__(self) -> None:
        super().__init__(add_help=False, allow_abbrev=False, exit_on_error=False, usage="")
        self.add_argument("-h", "--help", action="store_true")

    def error(self, message: str) -> NoReturn:
        raise ConfigError(message)


def flag(name: str) -> str:
    """Return the flag of the option ``name``."""
    return "--" + name.replace("_", "-")


def parse(
    line: Sequence[str],
    options: Mapping[str, Option],
    arguments: Sequence[Argument] = (),
    *,
    other_commands: Callable[[str], str] = lambda _: "",
) -> ParsedLine:
    """Parse ``line``; ``ConfigError`` names the first invalid flag or value. ``--`` ends the flags.

    ``other_commands`` returns what to say about the name of an option that is not in ``options``, empty for an unknown one.
    """
    try:
        return _parse(line, options, arguments, other_commands)
    except ConfigError as error:
        if file := next((word for word in line if _is_file_like_a_flag(word)), None):
            shown = printable(file)
            error.hint = f"for the file {shown}, put -- before the names, or write ./{shown}"
        raise


def _is_file_like_a_flag(word: str) -> bool:
    return word.startswith("-") and word not in ("-", "--") and os.path.lexists(word)


def _parse(
    line: Sequence[str], options: Mapping[str, Option], arguments: Sequence[Argument], other_commands: Callable[[str], str]
) -> ParsedLine:
    end = line.index("--") if "--" in line else len(line)
    before, after = (
        with_two_dashes(line[:end], options, [each for argument in arguments for each in argument.flags]),
        line[end + 1 :],
    )
    try:
        namespace, positionals = _parser(options, arguments).parse_known_args(_with_bare_values(before, options))
    except argparse.ArgumentError as error:
        raise _usage_error(error, options, before) from None
    texts = vars(namespace)
    if texts.pop("help"):
        return ParsedLine((), {}, help=True)
    for word in positionals:
        if word.startswith("-") and word != "-":
            raise _unknown_option(word, options, other_commands)
    by_flag = {argument.name: tuple(texts.pop(argument.name)) for argument in arguments if argument.name in texts}
    for argument in arguments:
        _check_number(by_flag.get(argument.name, ()), argument)
    values = {name: checked(each.value, options[name].field.type, flag(each.name)) for name, each in canonical(texts).items()}
    return ParsedLine((*positionals, *after), values, by_flag)


def _with_bare_values(words: Sequence[str], options: Mapping[str, Option]) -> list[str]:
    """Return ``words`` with the bare value of an option added where the next word cannot be its value: a SRC, another flag."""
    bare = {flag(name): option for name, option in options.items() if value_if_bare(option.field.type) is not None}
    return [
        f"{word}={value_if_bare(bare[word].field.type)}" if word in bare and not _fits(following, bare[word]) else word
        for word, following in zip(words, [*words[1:], None], strict=False)
    ]


def _fits(word: str | None, option: Option) -> bool:
    try:
        return word is not None and checked(word, option.field.type, "") is not None
    except ConfigError:
        return False


def named(words: Sequence[str], arguments: Sequence[Argument]) -> dict[str, tuple[str, ...]]:
    """Return ``words`` by the names of their ``arguments``; ``ConfigError`` for an empty word and for an extra one.

    If the first argument is repeatable, it takes all words that the others leave.
    """
    extra_words = max(0, len(words) - len(arguments))
    if extra_words and not (arguments and arguments[0].repeatable):
        names = " ".join(argument.name for argument in arguments) or "none"
        hint = "give one of each" if len(arguments) > 1 else ""
        raise ConfigError(f"unexpected argument {quoted(printable(words[len(arguments)]))}: expected {names}", hint=hint)
    result: dict[str, tuple[str, ...]] = {}
    position = 0
    for argument in arguments if words else ():
        end = position + 1 + (extra_words if argument.repeatable else 0)
        if position < len(words):
            result[argument.name] = tuple(words[position:end])
        position = end
    for name, values in result.items():
        if "" in values:
            raise ConfigError(f"{name} must not be empty")
    return result


def _check_number(values: Sequence[str], argument: Argument) -> None:
    if len(values) > 1 and not argument.repeatable:
        raise ConfigError(f"{argument.name} is given twice: {quoted(values[0])} and {quoted(values[1])}", hint="give one of them")


def _parser(options: Mapping[str, Option], arguments: Sequence[Argument]) -> _Parser:
    parser = _Parser()
    for name, option in options.items():
        _add_option(parser, name, option)
    for name, alias in ALIASES.items():
        if alias.option in options:
            _add_alias(parser, name, alias, options[alias.option])
    for name in ALWAYS_ON if "include" in options else ():
        _add(parser, *ALWAYS_ON_SHORT_FLAGS.get(name, ()), flag(name), dest=name, const=True)
    for argument in arguments:
        for each in argument.flags:
            if each.removeprefix("--") not in options:
                parser.add_argument(each, dest=argument.name, action="append", default=argparse.SUPPRESS)
    return parser


def _add_option(parser: _Parser, name: str, option: Option) -> None:
    kind = option.field.type
    if unwrapped(kind) is bool:
        _add(parser, *short_flag(kind), flag(name), dest=name, const=True)
        _add(parser, flag("no_" + name), dest=name, const=False)
        return
    action = "append" if is_repeatable(kind) else "store"
    parser.add_argument(*short_flag(kind), flag(name), dest=name, action=action, default=argparse.SUPPRESS)
    if (negated := extra(kind, "no")) is not None:
        _add(parser, flag("no_" + name), dest=name, const=negated)


def _add_alias(parser: _Parser, name: str, alias: Alias, option: Option) -> None:
    if alias.is_switch:
        _add(parser, flag(name), dest=name, const=True)
    else:
        action = "append" if is_repeatable(option.field.type) else "store"
        parser.add_argument(flag(name), dest=name, action=action, default=argparse.SUPPRESS)


def _add(parser: _Parser, *flags: str, dest: str, const: object) -> None:
    """Add ``flags``, which take no value and set ``const``."""
    parser.add_argument(*flags, dest=dest, action="store_const", const=const, default=argparse.SUPPRESS)


def _usage_error(error: argparse.ArgumentError, options: Mapping[str, Option], words: Sequence[str]) -> ConfigError:
    """Return the error for a flag without its value, or a switch with one."""
    names = str(error.argument_name).split("/")  # argparse writes an option with a short flag as -o/--output
    long = names[-1]
    name = long.removeprefix("--").replace("-", "_")
    alias = ALIASES.get(name)
    option = options.get(alias.option if alias and not alias.is_switch else name)
    if option is None or unwrapped(option.field.type) is bool:
        return ConfigError(f"{long} takes no value")
    following = [after for word, after in itertools.pairwise(words) if word in names]
    is_value = any(re.match(r"-\d|-[^-].", word) for word in following)
    hint = f"write a value that starts with a dash as {long}=..., such as {long}={following[-1]}" if is_value else ""
    return ConfigError(f"{long} needs a value: {describe_type(option.field.type).removeprefix('a list, each ')}", hint=hint)


def _unknown_option(word: str, options: Mapping[str, Option], other_commands: Callable[[str], str]) -> ConfigError:
    name, _, _ = word.partition("=")
    aliases = [name for name, alias in ALIASES.items() if alias.option in options]
    flags = [*map(flag, (*options, *aliases)), "--help"]
    hint = other_commands(name.lstrip("-").replace("-", "_"))
    otherwise = "--help lists the options of this command"
    return unknown(f"unknown option {printable(name)}", name, flags, other_commands=hint, otherwise=otherwise)
