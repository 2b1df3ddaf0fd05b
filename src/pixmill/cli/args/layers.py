"""The layers of a configuration: a TOML file, under the environment, under the flags."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pixmill.batch.config.options import Option
from pixmill.cli.args.values import checked
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable
from pixmill.core.validation import did_you_mean

PREFIX = "PIXMILL_"
PLACES = ("source", "destination")  # a file may name them too


def variable(name: str) -> str:
    """Return the environment variable of the option ``name``."""
    return PREFIX + name.upper()


def from_environment(
    environment: Mapping[str, str], options: Mapping[str, Option], known: Callable[[], Mapping[str, Option]]
) -> dict[str, object]:
    """Return those of ``options`` that ``PIXMILL_*`` variables set; ``ConfigError`` for a variable that is none of ``known``.

    ``known`` returns the options of every command: what is set for ``run`` must not stop ``status``. A variable that is empty
    counts as not set. A list has one member a line.
    """
    found = {}
    for written, text in _set(environment):
        name = written.removeprefix(PREFIX).lower()
        if name not in options and name not in known():
            raise ConfigError(f"there is no variable {printable(written)}{did_you_mean(written, map(variable, known()))}")
        if name in options:
            found[name] = checked(text, options[name].field.type, written)
    return found


def from_file(path: str, options: Mapping[str, Option]) -> dict[str, object]:
    """Return what the TOML file at ``path`` sets: options by their names, ``source`` and ``destination``, and ``recipe``.

    A recipe is a table, or a path relative to the file that names it. ``ConfigError`` for a file that cannot be read, or a name
    that is none of these.
    """
    shown = printable(path)
    found: dict[str, object] = {}
    for name, value in _read(Path(path)).items():
        plain = name.replace("-", "_")
        origin = f"{shown}: {printable(name)}"
        if plain in PLACES:
            found[plain] = checked(value, str, origin)
        elif plain == "recipe" and isinstance(value, dict):
            found[plain] = value
        elif plain in options and plain != "config":
            found[plain] = checked(value, options[plain].field.type, origin)
        else:
            raise ConfigError(f"{origin}: no such option{did_you_mean(plain, (*options, *PLACES))}")
    if isinstance(found.get("recipe"), str):
        found["recipe"] = str(Path(path).parent / str(found["recipe"]))
    return found


def _set(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, text) for name, text in sorted(environment.items()) if name.startswith(PREFIX) and text)


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{printable(str(path))} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{printable(str(path))} is not a TOML file: it is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{printable(str(path))} is not valid TOML: {error}") from None
