"""The fingerprint of everything besides the source that determines an output, except versions: the recipe and its files.

A new version of a library does not change it, so that it makes no output again. Up to the second version of the ledger, the version
of libvips was part of it, and ``former_engine`` makes such a fingerprint.
"""

from hashlib import blake2b
from pathlib import Path

from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.prevention import without_preventing_options
from pixmill.imaging.recipe import Recipe


def recipe_fingerprint(config: RunConfig, *, former_engine: str = "") -> bytes:
    """Return the 16-byte fingerprint of everything that ``config`` makes from a source."""
    return _fingerprint(config.recipe, config, former_engine)


def rendition_fingerprints(config: RunConfig, *, former_engine: str = "") -> tuple[bytes, ...]:
    """Return the fingerprint of each rendition, in order; each changes only when that rendition does."""
    recipe = config.recipe
    return tuple(_fingerprint(recipe.evolve(renditions=(rendition,)), config, former_engine) for rendition in recipe.renditions)


def _fingerprint(recipe: Recipe, config: RunConfig, former_engine: str) -> bytes:
    recipe = without_preventing_options(recipe)
    digest = blake2b(f"{former_engine} {recipe.fingerprint()} {config.placement.preserve}".encode(), digest_size=16)
    for step in recipe.all_steps():
        for file in step.files:
            digest.update(blake2b(Path(file).read_bytes()).digest())
    return digest.digest()
