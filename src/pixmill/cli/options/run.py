"""What ``run`` and ``plan`` are asked: their words and options, and the way to a ``RunConfig``."""

from typing import Annotated

from msgspec import Meta

from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.options import MAKE, RUN, Option, options, resolve
from pixmill.cli.args.parser import Argument
from pixmill.cli.command import Request, declared
from pixmill.core.errors import AddressError
from pixmill.core.model import Model

SRC = Argument(
    "SRC",
    "folder or bucket of images, one image, a tar or zip file, or a list of paths and URLs (-: standard input)",
    variable="INPUT_DIR",
)
DST = Argument("DST", "folder or bucket of the results", variable="OUTPUT_DIR")
PREVIOUS_DST = Argument("DST", "folder or bucket of the results of an earlier run", variable="OUTPUT_DIR")


class RecipeFile(Model, frozen=True, kw_only=True):
    """A file that says what to make."""

    recipe: Annotated[str | None, Meta(description="read what to make from this TOML file", extra={"value": "FILE"})] = None


class ConfigFile(Model, frozen=True, kw_only=True):
    """A file that says everything else."""

    config: Annotated[str | None, Meta(description="read options from this TOML file", extra={"value": "FILE"})] = None


def run_options() -> dict[str, Option]:
    """Return the options of a run, without those of showing it."""
    return {**declared(MAKE, RecipeFile), **options(), **declared(RUN, ConfigFile)}


def config_from(request: Request) -> RunConfig:
    """Return the configuration that ``request`` asks for; ``ConfigError`` names what is missing or does not fit."""
    source = argument_value(request, SRC, request.values.get("source"))
    destination = argument_value(request, DST, request.values.get("destination"))
    known = options()
    values = {name: value for name, value in request.values.items() if name == "recipe" or name in known}
    return resolve(source, destination, values)


def argument_value(request: Request, argument: Argument, instead: object = None) -> str:
    """Return the word that was given for ``argument``, or what may stand ``instead``; ``AddressError`` when there is none."""
    found = request.words.get(argument.name) or instead
    if not found:
        hint = f"give it on the command line, or set {argument.variable}"
        raise AddressError(f"{argument.name}: expected a {argument.description}, received none", hint=hint)
    return str(found)
