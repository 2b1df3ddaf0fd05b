"""The layers of a configuration: flags override the environment, which overrides a TOML file."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pixmill.batch.config.aliases import ALIASES, ALWAYS_ON, canonical, unknown
from pixmill.batch.config.options import Option
from pixmill.batch.config.spelling import IN_ENVIRONMENT, IN_FILE, respelled
from pixmill.cli.args.values import checked
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable

PREFIX = "PIXMILL_"
LOCATIONS = ("source", "destination")  # a file may set them too
ALL_OPTIONS = "pixmill run --help lists the options, docs/reference/options.md with their variables"


def variable(name: str) -> str:
    """Return the environment variable of the option ``name``."""
    return PREFIX + name.upper()


def from_environment(
    environment: Mapping[str, str], options: Mapping[str, Option], all_options: Callable[[], Mapping[str, Option]]
) -> dict[str, object]:
    """Return the values of ``options`` set by ``PIXMILL_*`` variables; ``ConfigError`` for a variable not in ``all_options``.

    ``all_options`` returns the options of every command: a variable set for ``run`` must not stop ``status``. An empty variable
    counts as unset. A list has one member per line.
    """
    texts = {}
    for key, text in _variables(environment):
        name = key.removeprefix(PREFIX).lower()
        option = ALIASES[name].option if name in ALIASES else name
        is_switch = name in ALWAYS_ON or (name in ALIASES and ALIASES[name].is_switch)
        if option not in options and option not in all_options() and name not in ALWAYS_ON:
            names = map(variable, all_options())
            raise unknown(f"unknown variable {printable(key)}", key, names, spell=_as_variables, otherwise=ALL_OPTIONS)
        if option in options or name in ALWAYS_ON:
            texts[name] = checked(text, bool, key) if is_switch else text
    given = canonical(texts)
    return {name: checked(each.value, options[name].field.type, variable(each.name)) for name, each in given.items()}


def from_file(path: str, options: Mapping[str, Option]) -> dict[str, object]:
    """Return the values that the TOML file at ``path`` sets: options by name, ``source``, ``destination`` and ``recipe``.

    A recipe is a table, or a path relative to the file that names it. Raises ``ConfigError`` for a file that cannot be read
    and for an unknown name.
    """
    values: dict[str, object] = {}
    aliases: dict[str, object] = {}
    for name, value in _read(Path(path)).items():
        key = name.replace("-", "_")
        origin = f"{printable(path)}: {printable(name)}"
        if key in LOCATIONS:
            values[key] = _location(key, value, origin)
        elif key == "recipe" and isinstance(value, dict):
            values[key] = value
        elif key in ALWAYS_ON or (key in ALIASES and ALIASES[key].option in options):
            aliases[key] = value
        elif key in options and key != "config":
            values[key] = checked(value, options[key].field.type, origin)
        else:
            raise unknown(f"{origin}: unknown option", key, (*options, *LOCATIONS), spell=_as_lines, otherwise=ALL_OPTIONS)
    for key, given in canonical(aliases).items():
        if key in values:
            raise ConfigError(f"{printable(path)}: {key} is set twice, once by another name for it", hint="set it once")
        values[key] = checked(given.value, options[key].field.type, f"{printable(path)}: {given.name}")
    if isinstance(values.get("recipe"), str):
        values["recipe"] = str(Path(path).parent / str(values["recipe"]))
    return values


def _as_variables(text: str) -> str:
    return respelled(text, IN_ENVIRONMENT)


def _as_lines(text: str) -> str:
    return respelled(text, IN_FILE)


def _location(key: str, value: object, origin: str) -> object:
    """Return the value of ``source``, which may be a list, or of ``destination``."""
    if key == "source" and isinstance(value, list):
        return tuple(checked(each, str, f"{origin}[{index}]") for index, each in enumerate(value))
    return checked(value, str, origin)


def _variables(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, text) for name, text in sorted(environment.items()) if name.startswith(PREFIX) and text)


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{printable(str(path))} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{printable(str(path))} is not a TOML file: not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{printable(str(path))} is not valid TOML: {error}") from None
