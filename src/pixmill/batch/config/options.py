"""Every option of a run by its one flat name, found in the models; and the way from named values to a ``RunConfig``.

``--timeout``, ``PIXMILL_TIMEOUT`` and ``timeout = "30s"`` in a file are all the field ``timeout`` of ``Policy``.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from pixmill.batch.config.models import Placement, RunConfig, Selection
from pixmill.batch.config.shorthand import Shorthand
from pixmill.core.errors import ConfigError
from pixmill.core.model import Model, describe_field, fields
from pixmill.core.validation import did_you_mean
from pixmill.engine.policy import Policy
from pixmill.imaging.limits import Limits
from pixmill.imaging.recipe import Recipe

MAKE = "What to make"
TAKE = "What to take"
PLACE = "Where to put it"
RUN = "How to run"
LIMIT = "Limits"


class Option(msgspec.Struct, frozen=True):
    """One option: ``name`` as in Python and TOML, the ``model`` that declares it, its field, and its ``group`` in the help."""

    name: str
    group: str
    model: type[Model]
    field: msgspec.structs.FieldInfo

    @property
    def description(self) -> str:
        """Return the sentence that was declared with the field."""
        return describe_field(self.field)


# Renditions and steps are tables: they are written in a recipe file, not as one value.
_TABLES = {"steps", "renditions", "limits", "recipe", "selection", "placement", "policy", "source", "destination"}
_GROUPS: tuple[tuple[str, type[Model]], ...] = (
    (MAKE, Shorthand), (MAKE, Recipe), (LIMIT, Limits), (TAKE, Selection), (PLACE, Placement), (RUN, RunConfig), (RUN, Policy),
)  # fmt: skip


@cache
def options() -> dict[str, Option]:
    """Return every option of a run by name, in the order of the help."""
    found = {}
    for group, model in _GROUPS:
        for field in fields(model):
            if field.name not in _TABLES:
                found[field.name] = Option(field.name, group, model, field)
    return found


def resolve(source: str, destination: str, *layers: Mapping[str, object]) -> RunConfig:
    """Return the configuration that ``layers`` of named values make together, a later layer over an earlier one.

    Besides the options, a layer may hold ``recipe``: a ``Recipe``, its table, or the path of a recipe file.
    ``ConfigError`` names the first value that does not fit.
    """
    values: dict[str, object] = {}
    for layer in layers:
        values.update(layer)
    for name in values:
        if name not in options() and name != "recipe":
            raise ConfigError(f"{name}: no such option{did_you_mean(name, options())}")
    recipe = _recipe(values.get("recipe"))
    limits = recipe.limits.evolve(**_given(values, Limits))
    recipe = Shorthand(**_given(values, Shorthand)).apply(recipe.evolve(limits=limits, **_given(values, Recipe)))
    return RunConfig(
        source=source,
        destination=destination,
        recipe=recipe,
        selection=Selection(**_given(values, Selection)),
        placement=Placement(**_given(values, Placement)),
        policy=Policy(**_given(values, Policy)),
        **_given(values, RunConfig),
    )


def _recipe(value: object) -> Recipe:
    if value is None:
        return Recipe()
    if isinstance(value, str | Path):
        return Recipe.from_toml(Path(value))
    return Recipe.from_builtins(value)


def _given(values: Mapping[str, object], model: type[Model]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in options() and options()[name].model is model}


def from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the options that ``PIXMILL_*`` variables set; ``ConfigError`` for a variable that names no option."""
    prefix = "PIXMILL_"
    for variable, text in sorted(environment.items()):
        if variable.startswith(prefix) and text:
            yield variable.removeprefix(prefix).lower(), text
