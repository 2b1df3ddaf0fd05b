"""Check that the names of the outputs that a plan makes are possible, before anything runs."""

from pixmill.batch.config.models import RunConfig
from pixmill.batch.datasets.dataset import Dataset
from pixmill.batch.planning.locations import Locations
from pixmill.core.errors import ConfigError, TransformError
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.step_sizes import UNKNOWN_SIZE, output_sizes
from pixmill.storage.local.odd_names import refuses_odd_names

SIZE = frozenset(("width", "height"))
ANY_SIZE = (4000, 3000)  # pixels


def check_names(config: RunConfig, dataset: Dataset | None) -> None:
    """Raise ``ConfigError`` if names by the template of ``config`` are those of another format, or known too late."""
    _check_late(config, dataset)
    if config.selection.shard_at and not config.placement.name.begins_alike:
        message = "name: with --shard-at, names of outputs have to begin with {stem} or {name}, or shards may want the same ones"
        raise ConfigError(message, hint="leave out --shard-at: shards by hash know all names")
    if dataset is None:
        _check_extension(config)


def with_accepted_names(config: RunConfig, locations: Locations, *, may_write: bool) -> RunConfig:
    """Return ``config`` with portable names if the file system of the destination refuses others."""
    folder = locations.destination.local
    if config.placement.portable_names or folder is None or locations.dataset or not refuses_odd_names(folder, may_write=may_write):
        return config
    return config.evolve(placement=config.placement.evolve(portable_names=True))


def check_renditions(recipe: Recipe) -> None:
    """Raise ``ConfigError`` if two renditions differ in nothing that is part of their names."""
    if len({(rendition.name, rendition.encode.format.name) for rendition in recipe.renditions}) < len(recipe.renditions):
        raise ConfigError("recipe.renditions: two renditions have the same name and format")


def _check_extension(config: RunConfig) -> None:
    template = config.placement.name
    named = template.fixed_format
    codecs = [rendition.encode for rendition in config.recipe.renditions]
    written = [codec.format for codec in codecs if named and not codec.follows_source and codec.format.name != named.name]
    if not named or not written:
        return
    text = template.to_builtin().removeprefix("{dir}/")
    other = f", or --format {named.name}" if named.writable and len(codecs) == 1 else ""
    message = f"name: {text} has the extension of {named.label}, but {written[0].label} is to be written"
    raise ConfigError(message, hint=f"--name '{text.rpartition('.')[0]}.{{ext}}'{other}")


def _check_late(config: RunConfig, dataset: Dataset | None) -> None:
    """Raise ``ConfigError`` if names that are known only when an image is read cannot be given in this run."""
    template = config.placement.name
    late = ", ".join(f"{{{field}}}" for field in sorted(template.late_fields)) or ("--flat" if config.placement.flat else "")
    if not late:
        return
    if template.late_fields & SIZE:
        _check_sizes(config.recipe)
    if config.selection.shard.count > 1:
        message = f"name: {late} cannot be used with --shard, since shards do not know each other's names while they run"
        raise ConfigError(message, hint="leave out --shard; one run with --executor dask or ray uses several machines")
    if dataset:
        message = f"name: {late} cannot be used in a dataset, whose keys are known before the images are read"
        raise ConfigError(message, hint="leave them out of the name")


def _check_sizes(recipe: Recipe) -> None:
    """Raise ``ConfigError`` if only the pixels of an image tell how large an output is, so that it cannot be in the name."""
    if any(rendition.max_size for rendition in recipe.renditions):
        message = "name: {width} and {height} cannot be used with a maximum size of files, which may shorten the sides"
        raise ConfigError(message, hint="leave them out of the name, or leave out --max-size")
    try:
        output_sizes(recipe, ANY_SIZE)
    except TransformError as error:
        if error.code == UNKNOWN_SIZE:
            message = f"name: {{width}} and {{height}} cannot be used with {error.message}"
            raise ConfigError(message, hint="leave them out of the name") from None
