"""A file serves as an output if it is complete and has the format and size that the recipe makes."""

from io import BytesIO

import pytest
from PIL import Image

from pixmill.core.errors import ImageError
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.input import Input
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.operations.trim import Trim
from pixmill.imaging.pipeline.existing_output import ExistingOutput, examine
from pixmill.imaging.recipe import Recipe


def picture(size, kind="JPEG", **options):
    buffer = BytesIO()
    Image.new("RGB", size, (9, 200, 9)).save(buffer, kind, **options)
    return buffer.getvalue()


def examined(existing, source=(400, 300), recipe=None, **options):
    recipe = recipe or Recipe(steps=(Resize(width=200, height=200),))
    header = Jpeg.header(Input(picture(source, **options)))
    return examine(Input(existing), header, recipe.renditions[0], recipe)


@pytest.mark.parametrize(
    ("size", "is_expected"), [((200, 150), True), ((199, 151), True), ((198, 150), False), ((150, 200), False)]
)
def test_the_size_is_what_the_recipe_makes_within_a_pixel(size, is_expected):
    assert examined(picture(size)) == (ExistingOutput(*size, "jpeg") if is_expected else None)


def test_the_source_is_turned_upright_first():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert examined(picture((150, 200)), exif=exif) == ExistingOutput(150, 200, "jpeg")


def test_the_format_is_that_of_the_rendition():
    assert examined(picture((200, 150), "PNG")) is None


def test_any_size_will_do_if_the_pixels_decide_it():
    assert examined(picture((7, 5)), recipe=Recipe(steps=(Trim(),)))


@pytest.mark.parametrize("damaged", [b"", b"text", picture((200, 150))[:-200]])
def test_a_damaged_file_raises(damaged):
    with pytest.raises((ImageError, Exception)):
        examined(damaged)
