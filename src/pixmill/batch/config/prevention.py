"""The options that decide whether an image is processed, and the failures that another value of them may prevent.

Each declares the codes of these failures: ``Meta(extra={"prevents": ("limit-pixels",)})``. Such an option is not part of an
output's fingerprint, so a change of it processes the images that failed with one of the codes, and no other.
"""

from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.options import Option, options
from pixmill.engine.task import Failure
from pixmill.imaging.recipe import Recipe

#: in place of a code: every failure after which the same attempt may succeed
RETRYABLE = "retryable"


def preventing_options() -> dict[str, Option]:
    """Return every option that may prevent a failure, by name."""
    return {name: option for name, option in options().items() if option.prevents}


def preventable_codes(before: RunConfig, now: RunConfig) -> frozenset[str]:
    """Return the codes of the failures under ``before`` that the options of ``now`` may prevent."""
    changed = (each for each in preventing_options().values() if each.value_in(before) != each.value_in(now))
    return frozenset(code for option in changed for code in option.prevents)


def all_preventable_codes() -> frozenset[str]:
    """Return the codes of all failures that an option may prevent."""
    return frozenset(code for option in preventing_options().values() for code in option.prevents)


def is_preventable(failure: Failure, codes: frozenset[str]) -> bool:
    """Tell whether ``codes``, the result of ``preventable_codes``, cover ``failure``."""
    return failure.code in codes or (failure.retryable and RETRYABLE in codes)


def without_preventing_options(recipe: Recipe) -> Recipe:
    """Return ``recipe`` with the defaults of its options that decide whether an image is processed, but not its result.

    Settings for reading a format, such as the page of a PDF, stay: they decide about the result.
    """
    defaults = Recipe(allow=tuple(each for each in recipe.allow if each.has_settings))
    names = [name for name, option in preventing_options().items() if option.model is Recipe]
    return recipe.evolve(limits=defaults.limits, **{name: getattr(defaults, name) for name in names})
