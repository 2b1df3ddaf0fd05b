"""``process`` returns one output, ``process_all`` all of them."""

import io
import pickle

import pytest
from PIL import Image

import pixmill
from pixmill.core.errors import ConfigError, RecipeError


@pytest.fixture
def photo(tmp_path):
    Image.linear_gradient("L").resize((200, 100)).convert("RGB").save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"


def test_an_output_is_bytes_that_know_their_format_and_size(photo, tmp_path):
    output = pixmill.process(photo, pixmill.Recipe(steps=["resize:width=50"], renditions=[{"encode": "webp"}]))
    assert (output.format, output.width, output.height, output.rendition, output.notes) == ("webp", 50, 25, "", ())
    (tmp_path / "a.webp").write_bytes(output)
    with Image.open(tmp_path / "a.webp") as written:
        assert (written.format, written.size) == ("WEBP", (50, 25))


def test_an_output_is_described_not_printed(photo):
    output = pixmill.process(photo, size=50)
    assert repr(output) == str(output) == f"<Output: jpeg, 50x25, {len(output)} bytes>"


def test_an_output_survives_pickling(photo):
    output = pixmill.process(photo, size=50)
    copy = pickle.loads(pickle.dumps(output))
    assert (copy, copy.format, copy.width) == (output, "jpeg", 50)


def test_options_are_those_of_the_command(photo):
    output = pixmill.process(photo, width=50, output_format="png")
    assert (output.format, output.width) == ("png", 50)


def test_options_override_the_recipe(photo, tmp_path):
    (tmp_path / "recipe.toml").write_text('[[renditions]]\nencode = "webp"\n')
    for recipe in (tmp_path / "recipe.toml", str(tmp_path / "recipe.toml"), {"renditions": [{"encode": "webp"}]}):
        output = pixmill.process(photo, recipe, size=20)
        assert (output.format, output.width) == ("webp", 20)


def test_all_outputs_of_several_renditions_are_returned_in_order(photo):
    outputs = pixmill.process_all(photo, sizes=[20, 40], formats=["webp", "jpeg"])
    assert [(output.rendition, output.format, output.width) for output in outputs] == [
        ("20", "webp", 20), ("20", "jpeg", 20), ("40", "webp", 40), ("40", "jpeg", 40),
    ]  # fmt: skip


def test_all_outputs_of_one_rendition_are_one(photo):
    (output,) = pixmill.process_all(photo, size=20)
    assert output == pixmill.process(photo, size=20)


def test_a_recipe_with_several_outputs_is_refused_with_the_function_for_it(photo):
    with pytest.raises(ConfigError, match=r"makes 2 outputs of an image, and process returns one\nuse pixmill.process_all"):
        pixmill.process(photo, sizes=[20, 40])


@pytest.mark.parametrize("function", [pixmill.process, pixmill.process_all])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"siz": 3}, "siz: no such option; did you mean 'size'"),
        ({"workers": 3}, "workers: an option of a run, not of one image"),
        ({"butteraugli": 1}, "no such option\nuse target_quality=80"),
        ({"format": "wepb"}, "did you mean 'webp'"),
    ],
)
def test_a_wrong_option_is_refused_in_a_sentence(photo, function, options, message):
    with pytest.raises(ConfigError, match=message):
        function(photo, **options)


def test_toml_text_that_is_a_path_is_answered_with_how_to_read_a_file():
    with pytest.raises(RecipeError, match=r"from_toml\(Path"):
        pixmill.Recipe.from_toml("recipe.toml")


def test_notes_say_what_was_dropped():
    file = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), (80 * index, 0, 0)) for index in range(3)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert pixmill.process(file.getvalue()).notes == ("frames-dropped",)
