"""Find the column with the captions of a dataset, before anything runs."""

from typing import Literal, Protocol

from pixmill.batch.config.models import RunConfig
from pixmill.core.errors import ConfigError
from pixmill.core.suggestion import did_you_mean
from pixmill.core.text import printable
from pixmill.imaging.recipe import Recipe

#: columns that are carried over from one dataset to another as captions, the first one that is there
_USUAL = ("caption", "txt", "text")
_MAX_SHOWN = 20  # columns in a message
_OWN_STEPS, _FREE_STEP = "pixmill.imaging.", "pixmill.imaging.operations.python"


class Columns(Protocol):
    """What a source says about the columns of its entries."""

    has_columns: bool
    shape: Literal["folder", "archive", "list", "image"]

    def column_names(self) -> tuple[str, ...]:
        """Return the names of the columns that its first entries have."""


def with_captions(config: RunConfig, source: Columns) -> RunConfig:
    """Return ``config`` with the column of captions; ``ConfigError`` if the one asked for is not there.

    Without one asked for, captions of a dataset are carried over. A step of somebody may add any column: then nothing is refused.
    """
    placement = config.placement
    if placement.caption is None:
        if source.shape != "archive" and not (source.shape == "folder" and source.has_columns):
            return config
        names = source.column_names()
        found = next((name for name in _USUAL if name in names), None)
        return config.evolve(placement=placement.evolve(caption=found)) if found else config
    names = source.column_names()
    if placement.caption not in names and not _may_add_columns(config.recipe):
        asked = printable(placement.caption)
        quoted = ", ".join(map(printable, names[:_MAX_SHOWN]))
        meant = did_you_mean(placement.caption, names)
        message = f"caption: {config.source_text} has no column '{asked}'{meant}"
        hint = f"it has: {quoted}" if names else "captions come from a column of a list, from a dataset, or from a step"
        raise ConfigError(message, hint=hint)
    return config


def _may_add_columns(recipe: Recipe) -> bool:
    modules = (type(step).__module__ for step in recipe.all_steps())
    return any(not each.startswith(_OWN_STEPS) or each == _FREE_STEP for each in modules)
