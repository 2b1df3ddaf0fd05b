import io

import numpy as np
import pytest
from PIL import Image as Pillow

from pixmill.core.errors import DecodeError
from pixmill.imaging.input import Input
from pixmill.imaging.operations.crop import Crop
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.pipeline import identify, turbo_decode
from pixmill.imaging.pipeline.decode_plan import plan_decode
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe, Rendition


def picture(mode="RGB", size=(320, 200), kind="JPEG", **options):
    ramp = np.linspace(0, 255, size[0] * size[1]).reshape(size[1], size[0]).astype(np.uint8)
    file = io.BytesIO()
    Pillow.fromarray(ramp).convert(mode).save(file, kind, **options)
    return file.getvalue()


def decoded(source, header, recipe):
    """Return the images of the fast path, which must support the recipe."""
    return turbo_decode.decode(source, plan_decode(source, header, recipe))


def can(source, recipe):
    return plan_decode(source, identify.read_header(source, recipe), recipe).eighths


def to(**options):
    return Recipe(steps=(Resize(**options),))


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("options", [{"width": 100}, {"width": 320}, {"width": 7, "height": 200, "fit": "fill"}, {"percent": 40}])
def test_a_jpeg_that_becomes_no_larger_is_read_fast(mode, options):
    assert can(Input(picture(mode)), to(**options))


@pytest.mark.parametrize(
    ("data", "recipe", "reason"),
    [
        (picture("CMYK"), to(width=100), "the source is JPEG with 4 channels"),
        (picture(kind="PNG"), to(width=100), "the source is PNG with 3 channels"),
        (picture(), Recipe(steps=(Resize(width=100),), engine="vips"), "the engine is vips"),
        (picture(), to(width=400, enlarge=True), "the image is enlarged"),
        (picture(), to(width=100, kernel="nearest"), "the kernel is nearest"),
        (picture(), to(width=100, kernel="lanczos2"), "the kernel is lanczos2"),
        (picture(), to(width=100, linear=True), "does not begin with a resize"),
        (picture(), Recipe(steps=()), "does not begin with a resize"),
        (picture(), Recipe(steps=(Crop(width=10, height=10),)), "does not begin with a resize"),
    ],
    ids=["cmyk", "png", "engine", "enlarged", "nearest", "lanczos2", "linear", "as it is", "cropped"],
)
def test_whatever_the_fast_path_does_not_do_exactly_is_left_to_libvips_and_the_log_says_why(data, recipe, reason, caplog):
    with caplog.at_level("DEBUG", logger="pixmill.imaging"):
        assert not can(Input(data), recipe)
    assert reason in caplog.text


def test_a_file_too_large_to_be_held_is_left_to_libvips(tmp_path):
    (tmp_path / "a.jpg").write_bytes(picture())
    assert not can(Input(path=tmp_path / "a.jpg"), to(width=100))


def test_a_picture_too_large_to_be_held_is_left_to_libvips():
    recipe = to(percent=90)
    header = identify.read_header(Input(picture()), recipe)
    large = type(header)(format=header.format, width=8_000, height=8_000)
    assert not plan_decode(Input(picture()), large, recipe).eighths
    assert plan_decode(Input(picture()), large, to(width=1_000)).eighths


@pytest.mark.parametrize("part", [0.5, 0.9, 0.999])
def test_a_truncated_file_is_reported(part):
    whole = picture()
    source, recipe = Input(whole[: int(len(whole) * part)]), to(width=100)
    with pytest.raises(turbo_decode.DecoderWarning):
        decoded(source, identify.read_header(source, recipe), recipe)
    with pytest.raises(DecodeError, match="truncated"):
        process(source, recipe)


def test_every_rendition_comes_from_one_decode_in_its_own_size():
    wide = Rendition(name="wide", steps=(Resize(width=160),))
    small = Rendition(name="small", steps=(Resize(width=40, height=40, fit="cover"),))
    whole = Rendition(name="whole", steps=())
    recipe = Recipe(renditions=(wide, small, whole))
    source = Input(picture())
    header = identify.read_header(source, recipe)
    assert plan_decode(source, header, recipe).eighths
    assert [(image.width, image.height) for image in decoded(source, header, recipe)] == [(160, 100), (64, 40), (320, 200)]
    assert [(output.width, output.height) for output in process(source, recipe).outputs] == [(160, 100), (40, 40), (320, 200)]


def test_shared_steps_are_done_once_before_the_steps_of_each_rendition():
    recipe = Recipe(steps=(Resize(width=160),), renditions=(Rendition(name="a"), Rendition(name="b", steps=(Resize(width=80),))))
    outputs = process(Input(picture()), recipe).outputs
    assert [(output.width, output.height) for output in outputs] == [(160, 100), (80, 50)]


def test_what_a_file_says_of_its_picture_is_kept_as_the_recipe_asks():
    exif = Pillow.Exif()
    exif[0x8298], exif[0x010F] = "the owner", "the maker"
    made = process(Input(picture(exif=exif)), to(width=100)).outputs[0]
    kept = Pillow.open(io.BytesIO(made.data)).getexif()
    assert kept[0x8298].strip() == "the owner"
    assert 0x010F not in kept


def test_sizes_made_from_one_another_are_as_faithful_as_each_on_its_own():
    sides = (160, 75, 30)
    renditions = tuple(Rendition(name=str(side), steps=(Resize(width=side),)) for side in sides)
    source = Input(picture())
    together = Recipe(renditions=renditions)
    header = identify.read_header(source, together)
    for side, image in zip(sides, decoded(source, header, together), strict=True):
        (alone,) = decoded(source, header, to(width=side))
        assert np.abs(image.to_numpy().astype(int) - alone.to_numpy()).mean() < 1
