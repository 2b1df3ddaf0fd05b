"""What is written into images, where, in which script, and what is refused."""

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from pixmill.batch.config.fingerprint import recipe_fingerprint
from pixmill.batch.config.options import resolve
from pixmill.core.errors import ConfigError, RecipeError, TransformError
from pixmill.imaging.backends.fonts import NO_CHARACTER, load, missing
from pixmill.imaging.geometry.gravity import POSITIONS
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.operation import Operation
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
#: Latin with signs, Cyrillic, Greek, Arabic and Hebrew.
SCRIPTS = ("Zo\u00eb \u00a9", "\u041f\u0440\u0438", "\u0395\u03bb\u03bb\u03ac", "\u0645\u0631\u062d", "\u05e9\u05dc\u05d5")
needs_font = pytest.mark.skipif(not Path(FONT).exists(), reason="DejaVu is not installed (fonts-dejavu-core)")


def plain(width=300, height=120, bands=3):
    return Image.from_numpy(np.full((height, width, bands), 100, np.uint8))


def step(text, **settings):
    return Operation.from_builtins({"operation": "text", "text": text, **settings})


def covered(image):
    """Return left, top, right and bottom of what differs from the plain image."""
    rows, columns = np.nonzero(np.abs(image.to_numpy()[..., 0].astype(int) - 100) > 8)
    return columns.min(), rows.min(), image.width - 1 - columns.max(), image.height - 1 - rows.max()


@pytest.mark.parametrize("place", POSITIONS)
def test_a_text_lies_at_its_place_and_leaves_its_margin(place):
    left, top, right, bottom = covered(step("Hello", gravity=place, margin=9, size=24).apply(plain()))
    assert min(left, top, right, bottom) >= 9
    across, down = POSITIONS[place]
    assert abs((left, (left + right) / 2, right)[int(across * 2)] - (9, left, 9)[int(across * 2)]) <= 3
    assert abs((top, (top + bottom) / 2, bottom)[int(down * 2)] - (9, top, 9)[int(down * 2)]) <= 3


def test_a_text_that_is_too_long_is_made_smaller():
    for text in ("W" * 200, "long lines\\n" * 40):
        left, top, right, bottom = covered(step(text, margin=5, size=40).apply(plain()))
        assert min(left, top, right, bottom) >= 5


def test_colour_and_opacity_are_those_asked_for():
    pixels = step("I" * 9, color="#ff0000", opacity=0.5, size=60, gravity="centre").apply(plain()).to_numpy()
    reddest = pixels[np.unravel_index(pixels[..., 0].argmax(), pixels.shape[:2])]
    assert np.abs(reddest.astype(int) - (178, 50, 50)).max() <= 2
    assert step("x", opacity=0).apply(plain()).to_numpy().std() == 0


def photo(artist="", date="2023:05:17 10:11:12"):
    exif = PIL.Image.Exif()
    exif[0x013B] = artist
    exif.get_ifd(0x8769)[36867] = date
    file = io.BytesIO()
    PIL.Image.new("RGB", (400, 300), (90, 90, 90)).save(file, "JPEG", exif=exif, quality=95)
    return Input(file.getvalue())


def made(source, *steps):
    recipe = Recipe.from_builtins({"steps": ["resize:width=300", *steps], "renditions": [{"encode": "png"}]})
    return np.asarray(PIL.Image.open(io.BytesIO(process(source, recipe).outputs[0].data)))


def test_variables_are_what_the_metadata_say_and_the_size_of_the_image():
    written = made(photo("Jane {Doe}"), {"operation": "text", "text": "{artist} {date:%Y} {camera|none} {width}"})
    assert np.array_equal(written, made(photo(), {"operation": "text", "text": "Jane Doe 2023 none 300"}))
    assert np.array_equal(made(photo(), {"operation": "text", "text": "{artist}"}), made(photo()))


@needs_font
@pytest.mark.parametrize(
    "text",
    [
        "Zo\u00eb \u00a9",
        "\u041f\u0440\u0438\u0432\u0435\u0442",
        "\u0395\u03bb\u03bb\u03ac\u03b4\u03b1",
        "\u0645\u0631\u062d\u0628\u0627",
        "\u05e9\u05dc\u05d5\u05dd",
    ],
)
def test_other_scripts_are_written_with_a_font_that_has_them(text):
    drawn = step(text, font=FONT).apply(plain()).to_numpy()
    assert drawn.std() > 1
    assert not np.array_equal(drawn, step(text[::-1], font=FONT).apply(plain()).to_numpy())
    with pytest.raises(RecipeError, match=r"text: the font has no .* \(U\+"):
        step(text).check()


@needs_font
def test_letters_of_arabic_depend_on_their_neighbours():
    words = ("\u0628\u0628\u0628", "\u0628\u200c\u0628\u200c\u0628")
    joined, apart = (step(text, font=FONT).apply(plain()).to_numpy() for text in words)
    assert not np.array_equal(joined, apart)


@needs_font
def test_characters_that_no_font_has_are_refused_in_words():
    with pytest.raises(RecipeError, match=r"text: the font has no \u5199 \(U\+5199\), \u771f \(U\+771F\)") as refused:
        step("\u5199\u771f a", font=FONT).check()
    assert "font=FILE" in refused.value.hint
    with pytest.raises(TransformError, match="the font has no"):
        step("\u5199").apply(plain())
    assert missing(load(FONT, 20, "a"), "a \u0301\n" + NO_CHARACTER) == []  # spaces, marks and what is not assigned


@needs_font
def test_the_file_of_the_font_is_part_of_the_recipe(tmp_path):
    font = tmp_path / "font.ttf"

    def fingerprint(content):
        font.write_bytes(content)
        return recipe_fingerprint(resolve("in", "out", {"step": [f"text:text=a,font={font}"]}))

    whole = Path(FONT).read_bytes()
    assert fingerprint(whole) == fingerprint(whole) != fingerprint(whole + b"\0")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("text:text={stem}", "a field among {width}, {height}, {date}"),
        ("text:text={artist", "braces only around the name of a variable"),
        ("text:text= ", "expected a text"),
        ("text", "text.text: expected a value"),
        ("text:text=a,font=none.ttf", "file not found: none.ttf"),
        ("text:text=a,font=pyproject.toml", "cannot read the font"),
    ],
)
def test_a_text_that_cannot_be_written_is_refused_in_words(text, sentence):
    with pytest.raises(ConfigError) as refused:
        Operation.from_builtins(text).check()
    assert sentence in str(refused.value)


def test_a_number_is_a_text_and_a_step_reads_back_as_it_was_written():
    number = Operation.from_builtins("text:text=2024,size=20")
    assert number == Operation.from_builtins(number.to_builtins()) == Operation.from_builtins(number.text())
