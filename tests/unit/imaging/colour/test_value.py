import numpy as np
import pytest

from pixmill.imaging.colour.value import NAMES, Colour
from pixmill.imaging.image import Image


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("white", "#ffffff"),
        ("Navy", "#000080"),
        ("#FF8800", "#ff8800"),
        ("#f80", "#ff8800"),
        ("#f808", "#ff880088"),
        ("#ff880080", "#ff880080"),
        ("#ff8800ff", "#ff8800"),
        ("255, 136,0", "#ff8800"),
        ("255,136,0,128", "#ff880080"),
        ("transparent", "#00000000"),
    ],
)
def test_a_colour_is_read_as_people_write_it_and_printed_in_one_way(text, canonical):
    colour = Colour.from_builtin(text)
    assert str(colour) == canonical
    assert Colour.from_builtin(str(colour)) == colour


@pytest.mark.parametrize("text", ["", "whit", "#ff", "#ff88000", "256,0,0", "1,2", "-1,0,0", "ff8800", 5, None])
def test_what_is_no_colour_is_refused_with_examples(text):
    with pytest.raises(ValueError, match="a colour such as white"):
        Colour.from_builtin(text)


def test_every_name_is_a_colour():
    assert len({Colour.from_builtin(name) for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("name", ["white", "red", "#80808080"])
def test_a_picture_that_is_ready_for_a_colour_can_show_it(bands, kind, name):
    colour = Colour.from_builtin(name)
    image = colour.with_bands_for(Image.from_numpy(np.zeros((2, 3, bands), kind)))
    values = colour.band_values(image)
    full = np.iinfo(kind).max
    assert image.max_value == full
    assert len(values) == image.pixels.bands
    assert image.pixels.bands >= (3 if name == "red" else 1)
    assert image.has_alpha == (bands in (2, 4) or not colour.is_opaque)
    assert values[0] == pytest.approx(colour.red / 255 * full)
    if image.has_alpha:
        assert values[-1] == pytest.approx(colour.alpha / 255 * full)
