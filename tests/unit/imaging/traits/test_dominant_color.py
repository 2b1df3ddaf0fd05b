"""The dominant colour is that of most pixels, and not their average."""

from PIL import Image

from pixmill.imaging.traits.dominant_color import dominant_color
from pixmill.imaging.traits.small_picture import from_pillow


def test_the_colour_of_most_pixels_wins():
    picture = Image.new("RGB", (90, 60), (200, 30, 10))
    picture.paste((0, 255, 255), (0, 0, 40, 60))
    assert dominant_color(from_pillow(picture)) == "#c81e0a"


def test_similar_colours_are_averaged():
    picture = Image.new("RGB", (100, 100), (64, 64, 64))
    picture.paste((66, 66, 66), (0, 0, 50, 100))
    assert dominant_color(from_pillow(picture)) == "#414141"


def test_transparent_pixels_do_not_count():
    picture = Image.new("RGBA", (100, 100), (255, 0, 0, 20))
    picture.paste((0, 0, 255, 255), (0, 0, 10, 100))
    assert dominant_color(from_pillow(picture)) == "#0000ff"
    assert dominant_color(from_pillow(Image.new("RGBA", (10, 10)))) == ""
