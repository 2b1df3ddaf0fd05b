"""One image to one file: the checks before it is written. No state is kept, so nothing is known of an existing file."""

import os

from pixmill.batch.config.models import Placement, RunConfig
from pixmill.batch.config.target_file import TargetFile
from pixmill.batch.source import Source
from pixmill.core.errors import AddressError, ConfigError
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage

_SHAPES = {"folder": "a folder", "archive": "an archive", "list": "a list of images"}


def check_arguments(config: RunConfig, target: TargetFile) -> None:
    """Raise ``ConfigError`` if ``target`` cannot be DST of ``config``, whatever its sources are."""
    if len(config.sources) > 1:
        message = f"DST {printable(config.destination)} looks like a file, but there are {len(config.sources)} sources"
        hint = "the last word is DST: give a folder for the outputs after the sources"
        if config.selection.include or config.selection.exclude:
            hint = f"quote patterns, such as --include '*.jpg', so that the shell does not replace them; {hint}"
        raise AddressError(message, hint=hint if _exists(target) else f"{hint}, or for a folder of this name {_as_folder(config)}")
    target.check(config.recipe, config.sources[0])
    for option, is_given in (
        ("--name", config.placement.name != Placement().name),
        ("--index", config.placement.index is not None),
        ("--shard", config.selection.shard.count > 1),
    ):
        if is_given:
            message = f"{option} needs a folder as DST, but {printable(config.destination)} looks like a file"
            raise ConfigError(message, hint=f"leave out {option}, or for a folder of this name write {_as_folder(config)}")


def check_source(config: RunConfig, target: TargetFile, source: Source) -> None:
    """Raise ``ConfigError`` if ``source`` is no single image, or if ``target`` exists and must stay as it is."""
    shown = printable(config.destination)
    if source.shape != "image":
        message = f"DST {shown} looks like a file, but SRC {config.source_text} is {_SHAPES[source.shape]}"
        raise AddressError(message, hint=f"give one image as SRC, or for a folder of this name write {_as_folder(config)}")
    if not _exists(target):
        return
    if _is_same(Address.parse(config.sources[0]), Address.parse(config.destination)):
        message = f"SRC {config.source_text} and DST {shown} are the same file"
        raise AddressError(message, hint="inputs are never changed: choose another DST")
    if config.placement.existing in ("fail", "refuse"):
        hint = (
            "if it is one of the sources, add a folder for the outputs; --existing replace replaces it, --existing skip leaves it"
        )
        raise ConfigError(f"DST {shown} already exists", code="exists", hint=hint)


def _as_folder(config: RunConfig) -> str:
    return printable(config.destination) + "/"


def _exists(target: TargetFile) -> bool:
    return open_storage(target.folder).is_occupied(target.name)


def _is_same(source: Address, destination: Address) -> bool:
    if not (source.local and destination.local):
        return source == destination
    try:
        return os.path.samefile(source.location, destination.location)  # noqa: PTH121  # bytes
    except OSError:
        return False
