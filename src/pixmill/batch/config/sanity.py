"""Values that each are valid, but with which no image, or no good one, could come out."""

import re
from collections.abc import Sequence
from itertools import pairwise

from pixmill.batch.config.shard import Shard
from pixmill.core.errors import ConfigError, RecipeError
from pixmill.core.text import printable
from pixmill.core.units import ByteSize
from pixmill.engine.policy import Policy
from pixmill.imaging.recipe import Recipe

MIN_MEMORY = ByteSize(100_000_000)  # an idle worker and the coordinator take more already


def check_memory(policy: Policy) -> None:
    """Raise ``ConfigError`` for a memory limit in which not even one worker fits."""
    if policy.memory is not None and policy.memory < MIN_MEMORY:
        message = f"memory: expected at least {MIN_MEMORY}, received {policy.memory}"
        raise ConfigError(message, hint="a number without a unit counts bytes: --memory 2GB")


def check_keys_of_shards(shard: Shard, keys: Sequence[str]) -> None:
    """Raise ``ConfigError`` if ``keys`` do not divide the images into the shards, or divide names that may have to differ."""
    if not keys:
        return
    if len(keys) != shard.count - 1:
        expected = f"expected {shard.count - 1} for --shard {shard}, received {len(keys)}"
        message = f"shard_at: {expected if shard.count > 1 else 'there is no --shard, so which of the shards is this?'}"
        raise ConfigError(
            message, hint=f"--shard 1/{len(keys) + 1} has {len(keys)}: the key at which each shard but the first begins"
        )
    if not keys[0] or any(key >= following for key, following in pairwise(keys)):
        raise ConfigError("shard_at: expected keys in the order of their bytes", hint="sort them: LC_ALL=C sort")
    for key in keys:
        name = key.rpartition("/")[2]
        if "." in name or "~" in name:
            stem = key[: len(key) - len(name)] + re.split("[.~]", name)[0]
            message = f"shard_at: '{printable(key)}' may divide images whose outputs want one name, such as a.jpg and a.png"
            raise ConfigError(message, hint=f"end it before the dot: --shard-at '{printable(stem)}'")


def check_background(recipe: Recipe) -> None:
    """Raise ``RecipeError`` for a transparent background of a format without transparency, which would become black."""
    if recipe.background.is_opaque:
        return
    opaque = [each.encode.format.label for each in recipe.renditions if not each.encode.format.alpha]
    if opaque:
        message = f"background: {opaque[0]} has no transparency, received {recipe.background}"
        raise RecipeError(message, hint="choose a colour, such as --background white, or another format, such as --format png")
