"""Values that each are valid, but with which no image, or no good one, could come out."""

from pixmill.core.errors import ConfigError, RecipeError
from pixmill.core.units import ByteSize
from pixmill.engine.policy import Policy
from pixmill.imaging.recipe import Recipe

MIN_MEMORY = ByteSize(100_000_000)  # an idle worker and the coordinator take more already


def check_memory(policy: Policy) -> None:
    """Raise ``ConfigError`` for a memory limit in which not even one worker fits."""
    if policy.memory is not None and policy.memory < MIN_MEMORY:
        message = f"memory: expected at least {MIN_MEMORY}, received {policy.memory}"
        raise ConfigError(message, hint="a number without a unit counts bytes: --memory 2GB")


def check_background(recipe: Recipe) -> None:
    """Raise ``RecipeError`` for a transparent background of a format without transparency, which would become black."""
    if recipe.background.is_opaque:
        return
    opaque = [each.encode.format.label for each in recipe.renditions if not each.encode.format.alpha]
    if opaque:
        message = f"background: {opaque[0]} has no transparency, received {recipe.background}"
        raise RecipeError(message, hint="choose a colour, such as --background white, or another format, such as --format png")
