"""Presets: recipes that come with pixmill, as TOML files in the folder ``recipes``. Other options change them as any recipe."""

import pkgutil
import tomllib
from typing import Literal, get_args

import msgspec

from pixmill.imaging.recipe import Recipe

Preset = Literal["web", "email", "archive", "icons"]
NAMES: tuple[Preset, ...] = get_args(Preset)


class Description(msgspec.Struct, frozen=True):
    """A preset: for whom it is, its recipe as TOML, and what was measured with it by ``benchmarks/presets.py``."""

    audience: str
    toml: str
    figures: str


def recipe_of(name: str) -> Recipe:
    """Return the recipe of the preset ``name``."""
    return Recipe.from_toml(_text(f"{name}.toml"))


def describe(name: Preset) -> Description:
    """Return what the reference says of the preset ``name``. The first line of its file is a comment that says for whom it is."""
    first, _, rest = _text(f"{name}.toml").partition("\n")
    return Description(first.removeprefix("# "), rest.strip(), tomllib.loads(_text("figures.toml"))[name])


def _text(file: str) -> str:
    return (pkgutil.get_data(__package__, f"recipes/{file}") or b"").decode()
