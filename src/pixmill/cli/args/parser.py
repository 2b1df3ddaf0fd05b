"""Flags, from the same declarations as everything else: argparse takes the line apart, the models say what is right.

A flag is an ``Option``: its name with dashes, ``--no-NAME`` too when it is a switch or says what that means, several times when it
is a list.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import NoReturn

import msgspec

from pixmill.batch.config.options import Option
from pixmill.cli.args.values import checked, describe_type, extra, is_repeatable, short_flag, unwrapped, value_if_bare
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable
from pixmill.core.validation import did_you_mean, quoted


class Argument(msgspec.Struct, frozen=True):
    """One word of the command line that has no flag. ``variable`` is the environment variable that may stand for it."""

    name: str
    description: str
    variable: str = ""
    required: bool = True


class ParsedLine(msgspec.Struct, frozen=True):
    """What was typed, checked: ``words`` in order, ``values`` by option; or that ``help`` was asked for, and no more."""

    words: tuple[str, ...]
    values: dict[str, object]
    help: bool = False


class _Parser(argparse.ArgumentParser):
    """argparse without its own ways of help and errors."""

    def __init__(self) -> None:
        super().__init__(add_help=False, allow_abbrev=False, exit_on_error=False, usage="")
        self.add_argument("-h", "--help", action="store_true")

    def error(self, message: str) -> NoReturn:
        raise ConfigError(message)


def flag(name: str) -> str:
    """Return the flag of the option ``name``."""
    return "--" + name.replace("_", "-")


def parse(line: Sequence[str], options: Mapping[str, Option]) -> ParsedLine:
    """Take ``line`` apart; ``ConfigError`` names the first flag or value that does not fit. ``--`` ends the flags."""
    end = line.index("--") if "--" in line else len(line)
    flags, words = line[:end], line[end + 1 :]
    try:
        given, rest = _parser(options).parse_known_args(_completed(flags, options))
    except argparse.ArgumentError as error:
        raise _misused(error, options) from None
    found = vars(given)
    if found.pop("help"):
        return ParsedLine((), {}, help=True)
    for word in rest:
        if word.startswith("-") and word != "-":
            raise _unknown(word, options)
    values = {name: checked(value, options[name].field.type, flag(name)) for name, value in found.items()}
    return ParsedLine((*rest, *words), values)


def _completed(flags: Sequence[str], options: Mapping[str, Option]) -> list[str]:
    """Return ``flags`` with the value that an option has on its own, where what follows it can be none: a SRC, another flag."""
    meant = {flag(name): option for name, option in options.items() if value_if_bare(option.field.type) is not None}
    return [
        f"{word}={value_if_bare(meant[word].field.type)}" if word in meant and not _fits(after, meant[word]) else word
        for word, after in zip(flags, [*flags[1:], None], strict=False)
    ]


def _fits(word: str | None, option: Option) -> bool:
    try:
        return word is not None and checked(word, option.field.type, "") is not None
    except ConfigError:
        return False


def named(words: Sequence[str], arguments: Sequence[Argument]) -> dict[str, str]:
    """Return ``words`` by the names of the ``arguments`` they stand for; ``ConfigError`` for an empty word or one too many."""
    if len(words) > len(arguments):
        names = " ".join(argument.name for argument in arguments) or "nothing"
        extra = printable(words[len(arguments)])
        hint = "quote patterns, so that the shell does not expand them" if arguments else ""
        raise ConfigError(f"expected {names}, received one word more: {quoted(extra)}", hint=hint)
    for word, argument in zip(words, arguments, strict=False):
        if not word:
            raise ConfigError(f"{argument.name}: expected a name, received ''")
    return {argument.name: word for word, argument in zip(words, arguments, strict=False)}


def _parser(options: Mapping[str, Option]) -> _Parser:
    parser = _Parser()
    for name, option in options.items():
        kind = option.field.type
        if unwrapped(kind) is bool:
            parser.add_argument(flag(name), dest=name, action="store_const", const=True, default=argparse.SUPPRESS)
            parser.add_argument(flag("no_" + name), dest=name, action="store_const", const=False, default=argparse.SUPPRESS)
        else:
            action = "append" if is_repeatable(kind) else "store"
            parser.add_argument(*short_flag(kind), flag(name), dest=name, action=action, default=argparse.SUPPRESS)
            if (denied := extra(kind, "no")) is not None:
                parser.add_argument(flag("no_" + name), dest=name, action="store_const", const=denied, default=argparse.SUPPRESS)
    return parser


def _misused(error: argparse.ArgumentError, options: Mapping[str, Option]) -> ConfigError:
    """Say in our words that a flag stands without its value, or a switch with one."""
    written = str(error.argument_name)
    long = written.rpartition("/")[2]  # argparse names one with a letter -o/--output
    option = options.get(long.removeprefix("--").replace("-", "_"))
    if option is None or unwrapped(option.field.type) is bool:
        return ConfigError(f"{written}: expected no value, received one")
    hint = f"a value that starts with a dash is written {long}=-..."
    return ConfigError(f"{written}: expected {describe_type(option.field.type)}, received none", hint=hint)


def _unknown(word: str, options: Mapping[str, Option]) -> ConfigError:
    name, _, _ = word.partition("=")
    known = [flag(option) for option in options] + ["--help"]
    return ConfigError(f"there is no option {printable(name)}{did_you_mean(name, known)}")
