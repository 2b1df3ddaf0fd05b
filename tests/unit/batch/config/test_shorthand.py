"""The short words of a recipe: what a size means, and that recipes which mean the same have the same fingerprint as ever."""

import pytest

from pixmill.batch.config.options import resolve
from pixmill.batch.config.shorthand import Shorthand
from pixmill.core.errors import ConfigError, RecipeError
from pixmill.imaging.codec import Codec
from pixmill.imaging.operation import Operation
from pixmill.imaging.recipe import DEFAULT_STEPS, Recipe

TOML = """
[[steps]]
operation = "crop"
width = 800
[[steps]]
operation = "resize"
width = 300
[[renditions]]
name = "a"
steps = [{operation="resize", width=100}]
encode = {format="webp", quality=70}
[[renditions]]
name = "b"
"""
MIXED = Recipe.from_toml("[[renditions]]\nname = 'a'\nsteps = ['crop:width=9']\n[[renditions]]\nname = 'b'")
#: Options and a recipe, and the fingerprint that they had before sizes could be kept or a part: an output of then is one of now.
UNCHANGED = [
    ({}, "d70ace29ee9573c4da51627109bcdac1"),
    ({"format": "webp:quality=70"}, "a3968f013ac3acff83f08a2066901194"),
    ({"size": "800x600"}, "d64a746f3638c1beea13e250b9323bf9"),
    ({"size": "x600", "fit": "cover"}, "623b44f2a670a069ed54153f374e7688"),
    ({"size": "1920x1920"}, "d70ace29ee9573c4da51627109bcdac1"),
    ({"fit": "cover"}, "db8df3fe78ab485d02ef91c63e1aba3d"),
    ({"sizes": [320, 640], "formats": ["webp", "jpeg"]}, "ad1d200afd289e0fdee2da64b61fe94e"),
    ({"sizes": [320, 640], "formats": ["WEBP", "jpg"]}, "ad1d200afd289e0fdee2da64b61fe94e"),
    ({"sizes": [320], "fit": "cover", "step": ["sharpen"]}, "9c047861e2c2ff6ad99e6108fe201e61"),
    ({"step": ["grayscale", "rotate:angle=90"]}, "eccb4781539293c13d934d1053f03089"),
    ({"size": "400x400", "step": ["crop:width=9"]}, "13c3a653d3b41591032aeff072aea0cb"),
    ({"recipe": TOML}, "dbed4e97792601eba518510cd1b7edfd"),
    ({"recipe": TOML, "size": "400x400"}, "fda6c31efe980394340540cd7e3a2861"),
    ({"recipe": "steps = []"}, "4383f14caab7f61f47556cc91b039267"),
    ({"recipe": "[[renditions]]\nsteps = ['resize:width=9']"}, "86a21a8b3a839b6f8b08bb5f99d7d734"),
    (
        {"quality": 70, "color": "keep", "depth": "keep", "metadata": "keep", "format": "tiff"},
        "1f9da61bf44c73cf203317c6989f1515",
    ),
    ({"format": "keep"}, "1c0dbb9adf15529dce107e4a4792b42f"),
]


def recipe_of(**options):
    text = options.pop("recipe", None)
    layers = [options] if text is None else [options, {"recipe": Recipe.from_toml(text) if isinstance(text, str) else text}]
    return resolve("in", "out", *layers).recipe


def steps(*texts):
    return tuple(map(Operation.from_builtins, texts))


@pytest.mark.parametrize(("options", "fingerprint"), UNCHANGED)
def test_what_meant_the_same_before_is_not_made_again(options, fingerprint):
    assert recipe_of(**options).fingerprint() == fingerprint


@pytest.mark.parametrize("name", [codec.format.name for _, codec in Codec.registry])
@pytest.mark.parametrize("quality", [-1, 0, 1, 100, 101])
def test_a_quality_is_valid_for_the_short_option_where_it_is_for_the_format(name, quality):
    def codec_or_error(options):
        try:
            return recipe_of(**options).renditions[0].encode
        except ConfigError:
            return None

    assert codec_or_error({"format": name, "quality": quality}) == codec_or_error({"format": f"{name}:quality={quality}"})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"size": "keep"}, ()),
        ({"size": "none", "step": ["sharpen"]}, ["sharpen"]),
        ({"size": False}, ()),
        ({"size": "50%"}, ["resize:percent=50"]),
        ({"size": "50%", "recipe": "steps = ['resize:width=9', 'flip']"}, ["resize:percent=50", "flip"]),
        ({"size": "800x600", "recipe": "steps = ['resize:percent=9']"}, ["resize:width=800,height=600"]),
        ({"size": "keep", "recipe": "steps = ['resize:width=9', 'flip']"}, ["flip"]),
        ({"size": "800x"}, ["resize:width=800"]),
        ({"size": "x600"}, ["resize:height=600"]),
        ({"step": ["resize:percent=50"]}, ["resize:percent=50"]),
        ({"step": ["crop:width=9", "sharpen"]}, ["crop:width=9", "sharpen"]),
        ({"step": ["sharpen"]}, ["resize:width=1920,height=1920", "sharpen"]),
        ({"size": "800x600", "step": ["pad:aspect=1:1"]}, ["resize:width=800,height=600", "pad:aspect=1:1"]),
        ({"recipe": "steps = ['resize:width=1920,height=1920']", "step": ["trim"]}, ["resize:width=1920,height=1920", "trim"]),
    ],
)
def test_the_size_is_what_was_said(options, expected):
    assert recipe_of(**options).steps == steps(*expected)


def test_sizes_are_made_from_the_picture_as_it_is():
    recipe = recipe_of(sizes=[320], step=["rotate:angle=90"])
    assert recipe.steps == steps("rotate:angle=90")
    assert recipe.renditions[0].steps == steps("resize:width=320")


def test_a_rendition_without_a_size_of_its_own_has_the_default_box_unless_the_size_is_kept():
    assert recipe_of(recipe=MIXED).renditions[1].steps == DEFAULT_STEPS
    assert recipe_of(recipe=MIXED, size="keep").renditions[1].steps == ()
    assert recipe_of(recipe=MIXED, step=["trim"]).renditions[1].steps == ()
    assert recipe_of(recipe=MIXED, size="90x90").renditions[1].steps == ()
    assert recipe_of(recipe=MIXED, step=["flip"]).renditions[1].steps == DEFAULT_STEPS


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": "keep", "fit": "cover"}, "fit: requires a box, but the size is keep"),
        ({"size": "50%", "fit": "inside"}, "fit: requires a box, but the size is 50%"),
        ({"fit": "cover", "step": ["crop:width=9"]}, "fit: requires a box"),
        ({"fit": "cover", "recipe": "steps = []"}, "fit: requires a box"),
    ],
)
def test_a_fit_without_a_box_is_refused(options, said):
    with pytest.raises(RecipeError) as wrong:
        recipe_of(**options)
    assert wrong.value.message == said
    assert "--" in wrong.value.hint


def test_a_fit_goes_with_a_box_of_the_recipe():
    assert Shorthand(fit="cover").apply(Recipe(steps=("resize:width=9",))).steps == steps("resize:width=9,fit=cover")


def targets(**options):
    return [(each.encode.text(), each.target_quality) for each in recipe_of(**options).renditions]


def test_a_target_goes_to_each_output_that_has_a_quality_and_replaces_that_of_a_recipe():
    assert targets(target_quality=80) == [("jpeg", 80)]
    assert targets(target_quality=80, formats=["webp:effort=best", "png", "keep"]) == [
        ("webp:effort=best", 80), ("png", None), ("keep", 80),
    ]  # fmt: skip
    assert targets(target_quality=80, recipe=MIXED) == [("jpeg", 80), ("jpeg", 80)]
    with_quality = "[[renditions]]\nencode = 'webp:quality=70,effort=best'"
    assert targets(target_quality=80, recipe=with_quality) == [("webp:effort=best", 80)]


def test_a_quality_replaces_the_target_of_a_recipe():
    recipe = "[[renditions]]\nencode = 'webp'\ntarget_quality = 80"
    assert targets(recipe=recipe) == [("webp", 80)]
    assert targets(recipe=recipe, quality=70) == [("webp:quality=70", None)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"quality": 90}, "target_quality: the quality is searched for, received quality 90 as well"),
        ({"format": "jpeg:quality=70"}, "target_quality: the quality is searched for, but jpeg:quality=70 gives one"),
        ({"format": "jpeg:quality=70,effort=best"}, "but jpeg:quality=70,effort=best gives one"),
        ({"format": "png"}, "target_quality: png has no quality to search for"),
        ({"formats": ["png", "gif"]}, "target_quality: png has no quality to search for"),
        ({"recipe": "lossless = true"}, "lossless: a target quality would cost quality"),
    ],
)
def test_a_target_beside_what_contradicts_it_is_refused(options, said):
    with pytest.raises(RecipeError) as wrong:
        recipe_of(target_quality=80, **options)
    assert said in wrong.value.message
    assert "--" in wrong.value.hint
