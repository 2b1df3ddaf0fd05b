"""The layers of a configuration: flags override the environment, which overrides a TOML file."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pixmill.batch.config.options import Option
from pixmill.cli.args.values import checked
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable
from pixmill.core.validation import did_you_mean

PREFIX = "PIXMILL_"
LOCATIONS = ("source", "destination")  # a file may set them too


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
    values = {}
    for key, text in _variables(environment):
        name = key.removeprefix(PREFIX).lower()
        if name not in options and name not in all_options():
            raise ConfigError(f"unknown variable {printable(key)}{did_you_mean(key, map(variable, all_options()))}")
        if name in options:
            values[name] = checked(text, options[name].field.type, key)
    return values


def from_file(path: str, options: Mapping[str, Option]) -> dict[str, object]:
    """Return the values that the TOML file at ``path`` sets: options by name, ``source``, ``destination`` and ``recipe``.

    A recipe is a table, or a path relative to the file that names it. Raises ``ConfigError`` for a file that cannot be read
    and for an unknown name.
    """
    values: dict[str, object] = {}
    for name, value in _read(Path(path)).items():
        key = name.replace("-", "_")
        origin = f"{printable(path)}: {printable(name)}"
        if key in LOCATIONS:
            values[key] = checked(value, str, origin)
        elif key == "recipe" and isinstance(value, dict):
            values[key] = value
        elif key in options and key != "config":
            values[key] = checked(value, options[key].field.type, origin)
        else:
            raise ConfigError(f"{origin}: unknown option{did_you_mean(key, (*options, *LOCATIONS))}")
    if isinstance(values.get("recipe"), str):
        values["recipe"] = str(Path(path).parent / str(values["recipe"]))
    return values


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
