"""The arguments and options of ``run``, ``plan`` and ``watch``, and the ``RunConfig`` made from them."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.options import MAKE, RUN, Option, options, resolve
from pixmill.cli.args.parser import Argument
from pixmill.cli.command import Request, declared
from pixmill.core.errors import AddressError
from pixmill.core.model import Model
from pixmill.core.text import printable

SRC = Argument(
    "SRC",
    "folder or bucket of images, single image, tar or zip archive, or list of paths and URLs (- for stdin)",
    variable="INPUT_DIR",
    flags=("--input", "--input-dir"),
    repeatable=True,
)
DST = Argument("DST", "folder or bucket for the outputs", variable="OUTPUT_DIR", flags=("-o", "--out", "--output", "--output-dir"))
PREVIOUS_DST = Argument("DST", "folder or bucket with the outputs of an earlier run", variable="OUTPUT_DIR", is_folder=True)


class RecipeFile(Model, frozen=True, kw_only=True):
    """The recipe file."""

    recipe: Annotated[str | None, Meta(description="read the recipe from this TOML file", extra={"value": "FILE"})] = None


class ConfigFile(Model, frozen=True, kw_only=True):
    """The configuration file."""

    config: Annotated[str | None, Meta(description="read options from this TOML file", extra={"value": "FILE"})] = None


def run_options(*, without: Collection[str] = ()) -> dict[str, Option]:
    """Return the options of a run, except those for monitoring it and those named in ``without``."""
    every = {**declared(MAKE, RecipeFile), **options(), **declared(RUN, ConfigFile)}
    return {name: option for name, option in every.items() if name not in without}


def config_from(request: Request) -> RunConfig:
    """Return the configuration for ``request``; ``ConfigError`` for a missing or invalid value."""
    sources = _sources(request)
    _refuse_settings([*sources, *request.arguments.get(DST.name, ())])
    destination = argument_value(request, DST, request.values.get("destination"))
    run_option_names = options()
    values = {name: value for name, value in request.values.items() if name == "recipe" or name in run_option_names}
    return resolve(sources, destination, values)


def _sources(request: Request) -> Sequence[str]:
    """Return the words given for SRC, or the value of ``source`` in the configuration file."""
    stored = request.values.get("source")
    if SRC.name not in request.arguments and isinstance(stored, tuple) and stored:
        return stored
    return request.arguments.get(SRC.name) or (argument_value(request, SRC, stored),)


def _refuse_settings(words: Sequence[str]) -> None:
    """Raise ``AddressError`` if a TOML file is given as SRC or DST, which is neither an image nor a list of them."""
    for word in words:
        if word.lower().endswith(".toml") and not Path(word).is_dir():
            shown = printable(word)
            hint = f"for a file with options: --config {shown}; for one with steps and renditions: --recipe {shown}"
            raise AddressError(f"{shown} is a TOML file, and no image", hint=hint)


def argument_value(request: Request, argument: Argument, default: object = None) -> str:
    """Return the value given for ``argument``, or ``default``; ``AddressError`` if there is neither."""
    value = next(iter(request.arguments.get(argument.name, ())), default)
    if not value:
        hint = f"give it on the command line, or set {argument.variable}"
        raise AddressError(f"{argument.name} is missing: give a {argument.description}", hint=hint)
    return str(value)
