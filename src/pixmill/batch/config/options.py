"""All options of a run by their flat names, collected from the models; and how named values become a ``RunConfig``.

``--timeout``, ``PIXMILL_TIMEOUT`` and ``timeout = "30s"`` in a file all set the field ``timeout`` of ``Policy``.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from pixmill.batch.config.aliases import Given, canonical, unknown
from pixmill.batch.config.models import Placement, RunConfig, Selection
from pixmill.batch.config.presets import recipe_of
from pixmill.batch.config.sanity import check_background, check_keys_of_shards, check_memory
from pixmill.batch.config.shorthand import Shorthand
from pixmill.batch.config.target_file import target_file
from pixmill.core.errors import ConfigError
from pixmill.core.model import Model, declared_extra, describe_field, fields
from pixmill.core.validation import InvalidValue, convert
from pixmill.engine.policy import Policy
from pixmill.imaging.geometry.filters import Filters
from pixmill.imaging.limits import Limits
from pixmill.imaging.recipe import Recipe

MAKE = "Image options"
TAKE = "Source options"
PLACE = "Destination options"
RUN = "Execution options"
LIMIT = "Limits"


class Option(msgspec.Struct, frozen=True):
    """One option: its ``name`` in Python and TOML, the ``model`` and ``field`` that declare it, and its ``group`` in the help."""

    name: str
    group: str
    model: type[Model]
    field: msgspec.structs.FieldInfo

    @property
    def description(self) -> str:
        """Return the description declared with the field."""
        return describe_field(self.field)

    @property
    def prevents(self) -> tuple[str, ...]:
        """Return the codes of the failures that another value may prevent, as ``Meta(extra={"prevents": ...})`` declares them."""
        return declared_extra(self.field, "prevents") or ()

    def value_in(self, config: RunConfig) -> object:
        """Return the value of this option in ``config``; ``None`` for a shorthand, which is part of the recipe there."""
        recipe = config.recipe
        parts = (config, config.selection, config.placement, config.policy, recipe, recipe.limits, recipe.filters)
        owner = next((part for part in parts if type(part) is self.model), None)
        return getattr(owner, self.name, None)


# Renditions and steps are tables: they belong in a recipe file and cannot be given as one value. A preset is named by an option.
_TABLES = {
    "steps", "renditions", "limits", "filters", "recipe", "selection", "placement", "policy", "source", "destination",
    "preset_name",
}  # fmt: skip
_GROUPS: tuple[tuple[str, type[Model]], ...] = (
    (MAKE, Shorthand), (MAKE, Recipe), (LIMIT, Limits), (TAKE, Selection), (TAKE, Filters), (PLACE, Placement),
    (RUN, RunConfig), (RUN, Policy),
)  # fmt: skip


@cache
def options() -> dict[str, Option]:
    """Return every option of a run by name, in the order of the help."""
    by_name = {}
    for group, model in _GROUPS:
        for field in fields(model):
            if field.name not in _TABLES:
                by_name[field.name] = Option(field.name, group, model, field)
    return by_name


def resolve(source: str | Sequence[str], destination: str, *layers: Mapping[str, object]) -> RunConfig:
    """Return the configuration that results from ``layers`` of named values, where later layers override earlier ones.

    Besides the options, a layer may hold ``recipe``: a ``Recipe``, its table, or the path of a recipe file.
    Raises ``ConfigError`` for the first invalid value.
    """
    values = _merged(layers)
    for name in values:
        if name not in options() and name != "recipe":
            raise unknown(f"{name}: no such option", name, options(), otherwise="help(pixmill.RunOptions) lists the options")
    target = target_file(destination) if isinstance(source, str) or len(source) == 1 else None
    if target is not None:
        values = dict(target.with_format(values, _base_recipe(values)))
    policy = Policy(**_values_of(values, Policy))
    check_memory(policy)
    selection = Selection(**_values_of(values, Selection))
    check_keys_of_shards(selection.shard, selection.shard_at)
    return RunConfig(
        source=source if isinstance(source, str) else tuple(source),
        destination=destination,
        recipe=_recipe_with(values),
        preset_name=str(values.get("preset") or ""),
        selection=selection,
        placement=Placement(**_values_of(values, Placement)),
        policy=policy,
        **_values_of(values, RunConfig),
    )


def resolve_recipe(*layers: Mapping[str, object]) -> Recipe:
    """Return the recipe that results from ``layers``, which hold options about images and ``recipe``, as in ``resolve``."""
    values = _merged(layers)
    names = [name for name, option in options().items() if option.group in (MAKE, LIMIT)]
    for name in values:
        if name in options() and name not in names:
            raise ConfigError(f"{name}: an option of a run, not of one image", hint="omit it, or use pixmill.run")
        if name not in names and name != "recipe":
            raise unknown(f"{name}: no such option", name, names, otherwise="help(pixmill.ImageOptions) lists the options")
    return _recipe_with(values)


def _merged(layers: Iterable[Mapping[str, object]]) -> dict[str, object]:
    values: dict[str, object] = {}
    for layer in layers:
        values.update({name: _checked(name, given) for name, given in canonical(layer).items()})
    return values


def _checked(name: str, given: Given) -> object:
    """Return the value of the option ``name``; ``ConfigError`` with the name that the caller wrote if it does not fit."""
    if name not in options():
        return given.value
    option = options()[name]
    try:
        return convert(given.value, option.field.type)
    except InvalidValue as invalid:
        raise option.model.error(f"{given.name}{invalid.path}: {invalid}") from None


def _recipe_with(values: Mapping[str, object]) -> Recipe:
    recipe = _base_recipe(values)
    limits = recipe.limits.evolve(**_values_of(values, Limits))
    filters = recipe.filters.evolve(**_values_of(values, Filters))
    recipe = recipe.evolve(limits=limits, filters=filters, **_values_of(values, Recipe))
    result = Shorthand(**_values_of(values, Shorthand)).apply(recipe)
    check_background(result)
    return result


def _base_recipe(values: Mapping[str, object]) -> Recipe:
    """Return the recipe that the other options change: that of the preset, or the one given, or the default."""
    preset, given = values.get("preset"), values.get("recipe")
    if preset is None:
        return _recipe(given)
    if given is not None:
        raise ConfigError(f"preset: a recipe is given as well, received {preset}", hint="give one of --preset and --recipe")
    return recipe_of(str(preset))


def _recipe(value: object) -> Recipe:
    if value is None:
        return Recipe()
    if isinstance(value, str | Path):
        return Recipe.from_toml(Path(value))
    return Recipe.from_builtins(value)


def _values_of(values: Mapping[str, object], model: type[Model]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in options() and options()[name].model is model}
