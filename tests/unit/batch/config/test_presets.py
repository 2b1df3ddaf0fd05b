"""Presets: recipes that come with pixmill, and that other options change."""

from pathlib import Path

import pytest

from pixmill.batch.config import presets
from pixmill.batch.config.options import resolve, resolve_recipe
from pixmill.core.errors import ConfigError
from pixmill.imaging.recipe import Recipe

FOLDER = Path(presets.__file__).parent / "recipes"


def test_every_file_is_a_preset_and_every_preset_has_a_file():
    assert sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem != "figures") == sorted(presets.NAMES)


@pytest.mark.parametrize("name", presets.NAMES)
def test_a_preset_says_for_whom_it_is_and_what_was_measured(name):
    described = presets.describe(name)
    assert described.audience.startswith("For ")
    assert described.audience.endswith(".")
    assert " become " in described.figures
    assert Recipe.from_toml(described.toml) == presets.recipe_of(name) == Recipe.from_toml(FOLDER / f"{name}.toml")


def test_other_options_change_the_recipe_of_a_preset():
    recipe = resolve_recipe({"preset": "web", "size": "800x", "quality": 60, "metadata": "keep"})
    assert [step.text() for step in recipe.steps] == ["resize:width=800"]
    assert recipe.renditions[0].encode.text() == "webp:quality=60,lossless=auto"
    assert recipe.metadata == "keep"


def test_the_run_knows_the_name_of_its_preset():
    assert resolve("photos", "out", {"preset": "email"}).preset_name == "email"
    assert resolve("photos", "out", {}).preset_name == ""


def test_the_name_of_a_preset_changes_no_fingerprint():
    assert resolve_recipe({"preset": "email"}).fingerprint() == resolve_recipe({"recipe": presets.recipe_of("email")}).fingerprint()


def test_a_preset_and_a_recipe_contradict_each_other():
    with pytest.raises(ConfigError, match="a recipe is given as well"):
        resolve_recipe({"preset": "web", "recipe": {}})
