"""A recipe is valid, or its error names the problem in one sentence."""

import pytest

from pixmill.core.errors import RecipeError
from pixmill.imaging.codecs.webp import Webp
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.operation import Operation
from pixmill.imaging.operations.pad import Pad
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.recipe import DEFAULT_BOX, DEFAULT_STEPS, Recipe, Rendition

TOML = """
background = "#ff0000"
metadata = "no-gps"

[[steps]]
operation = "resize"
width = 800

[[renditions]]
name = "small"
encode = { format = "webp", quality = 70 }

[limits]
max_pixels = "50MP"
"""


def test_the_default_fits_inside_1920_and_writes_jpeg():
    recipe = Recipe()
    assert recipe.steps == (Resize(width=1920, height=1920),)
    assert [rendition.encode.format.name for rendition in recipe.renditions] == ["jpeg"]
    assert recipe.metadata == "copyright"


def test_renditions_with_steps_of_their_own_replace_the_default_size():
    assert Recipe(renditions=(Rendition(steps=(Resize(width=100),)),)).steps == ()


def test_an_empty_list_of_steps_leaves_the_size():
    assert Recipe(steps=()).steps == ()
    assert Recipe.from_builtins({"steps": []}).steps == ()


def test_toml_text_and_file_say_the_same(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(TOML)
    recipe = Recipe.from_toml(path)
    assert recipe == Recipe.from_toml(TOML)
    assert recipe.renditions[0].encode == Webp(quality=70)
    assert int(recipe.limits.max_pixels) == 50_000_000


def test_a_recipe_survives_the_wire():
    recipe = Recipe.from_toml(TOML)
    assert Recipe.from_builtins(recipe.to_builtins()) == recipe
    assert Recipe.from_builtins(recipe.to_builtins()).fingerprint() == recipe.fingerprint()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("width = 800", "recipe.width: no such setting"),
        ('color = "p3"', "recipe.color: expected one of srgb, keep, received p3"),
        ('[[steps]]\noperation = "resise"\nwidth = 3', "did you mean 'resize'"),
        ('[[steps]]\noperation = "resize"\nwidth = 0', "resize.width: expected an integer of at least 1, received 0"),
        ('[[steps]]\noperation = "resize"', "resize: expected "),
        ('[[renditions]]\nencode = { format = "webp", qualty = 3 }', "did you mean 'quality'"),
        ('[[renditions]]\nencode = { format = "jpeg", quality = 101 }', "jpeg.quality: expected an integer from 1 to 100"),
        ("[limits]\nmax_pixels = 'many'", "expected a number of pixels such as 100MP"),
        ("steps = [", "is not TOML"),
        ("renditions = []", "recipe.renditions: expected at least one"),
    ],
)
def test_errors_name_the_file_and_the_field(tmp_path, text, message):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(RecipeError) as wrong:
        Recipe.from_toml(path)
    assert message in wrong.value.message
    assert wrong.value.message.startswith(str(path))


def test_a_missing_file_is_a_recipe_error(tmp_path):
    with pytest.raises(RecipeError, match="cannot be read: No such file"):
        Recipe.from_toml(tmp_path / "none.toml")


def test_linear_light_is_asked_of_every_scaling():
    recipe = Recipe(linear=True, renditions=(Rendition(steps=(Resize(width=9),)),))
    assert all(step.linear for step in recipe.steps_of(recipe.renditions[0]))


def test_a_comma_within_a_value_ends_no_setting():
    (step,) = Recipe.from_builtins({"steps": ["pad:background=255,136,0,width=10,height=20,"]}).steps
    assert step == Pad(background=Colour(255, 136, 0), width=10, height=20)


GEOMETRY = ["resize:percent=50", "crop:width=9", "pad:border=3", "trim"]
REST = ["rotate:angle=90", "flip", "sharpen", "grayscale"]


def test_every_step_that_resizes_crops_pads_or_trims_says_so():
    assert {name for name, operation in Operation.registry if operation.sets_size} == {"resize", "crop", "pad", "trim"}


@pytest.mark.parametrize("step", GEOMETRY)
def test_the_default_box_stands_back_for_renditions_with_a_step_that_sets_the_size(step):
    sized, other = Rendition(name="a", steps=("flip", step)), Rendition(name="b", steps=("sharpen",))
    assert Recipe(renditions=(sized,)).steps == ()
    mixed = Recipe(renditions=(sized, other))
    assert mixed.steps == ()
    assert mixed.renditions[0] == sized
    assert mixed.renditions[1].steps == (DEFAULT_BOX, *other.steps)


@pytest.mark.parametrize("step", REST)
def test_the_default_box_stays_where_no_step_sets_the_size(step):
    rendition = Rendition(steps=(step,))
    assert Recipe(renditions=(rendition,)).steps == DEFAULT_STEPS
    assert Recipe(renditions=(rendition,)).renditions == (rendition,)


@pytest.mark.parametrize("step", GEOMETRY)
def test_steps_that_are_written_out_stay_as_they_are(step):
    steps = ("resize:width=1920,height=1920", step)
    recipe = Recipe(steps=steps, renditions=(Rendition(steps=(step,)), Rendition(name="b")))
    assert recipe.steps == tuple(map(Operation.from_builtins, steps))
    assert recipe.renditions[1].steps == ()


def test_a_box_that_stands_back_does_so_whenever_a_step_is_added():
    recipe = Recipe(renditions=(Rendition(name="a", steps=("crop:width=9",)), Rendition(name="b")))
    assert recipe.evolve(steps=("trim",)).renditions[1].steps == ()
    assert Recipe().evolve(steps=(*DEFAULT_STEPS, Pad(border=3))).steps == (Pad(border=3),)


def test_the_default_box_is_equal_to_the_step_that_does_the_same():
    assert Resize(width=1920, height=1920) == DEFAULT_BOX
    assert Resize(width=1920, height=1920) == DEFAULT_BOX
    assert Resize(width=1920) != DEFAULT_BOX
    assert hash(DEFAULT_BOX) == hash(Resize(width=1920, height=1920))


def test_a_recipe_with_a_box_that_was_settled_survives_the_wire():
    recipe = Recipe(renditions=(Rendition(name="a", steps=("crop:width=9",)), Rendition(name="b")))
    again = Recipe.from_builtins(recipe.to_builtins())
    assert again == recipe
    assert again.fingerprint() == recipe.fingerprint()
