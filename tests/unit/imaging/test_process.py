"""Processing an image with a recipe: stages, renditions, and the classification of errors."""

import io

import numpy as np
import pytest
import pyvips
from PIL import Image as Pillow

from pixmill.core.errors import DecodeError, EncodeError, TransformError
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.errors import classify_error
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe


def stored(picture, container="PNG", **settings):
    file = io.BytesIO()
    picture.save(file, container, **settings)
    return file.getvalue()


@pytest.fixture
def photograph():
    noise = np.random.default_rng(3).normal(0, 12, (600, 800, 3))
    y, x = np.mgrid[0:600, 0:800]
    return Pillow.fromarray((np.stack([x / 4, y / 3, (x + y) / 6], axis=-1) + noise).clip(0, 255).astype(np.uint8))


def test_stages_are_reported_as_they_begin(photograph):
    stages = []
    process(Input(stored(photograph, "JPEG")), Recipe(), enter=stages.append)
    assert list(dict.fromkeys(stages)) == ["header", "decode", "transform", "encode"]


@pytest.mark.parametrize(
    ("container", "settings"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("GIF", {}), ("WEBP", {})]
)
@pytest.mark.parametrize("steps", [[], [{"operation": "resize", "width": 100}]])
@pytest.mark.parametrize("output", ["jpeg", "webp", "png"])
def test_a_file_that_is_cut_off_fails_in_the_decoder(photograph, container, settings, steps, output):
    data = stored(photograph, container, **settings)
    recipe = Recipe.from_builtins({"steps": steps, "renditions": [{"encode": output}]})
    with pytest.raises(DecodeError) as failed:
        process(Input(data[: len(data) * 2 // 3]), recipe)
    assert failed.value.stage == "decode"
    assert failed.value.code in ("truncated", "decode")


@pytest.mark.parametrize("container", ["JPEG", "PNG"])
def test_a_truncated_file_is_reported_and_may_be_allowed(photograph, container):
    data = stored(photograph, container)[:20_000]
    with pytest.raises(DecodeError, match="is truncated") as failed:
        process(Input(data), Recipe())
    assert failed.value.code == "truncated"
    allowed = process(Input(data), Recipe(allow_truncated=True))
    assert (allowed.outputs[0].width, allowed.outputs[0].height) == (800, 600)


@pytest.mark.parametrize(
    ("stage", "detail", "kind"),
    [
        ("decode", "VipsJpeg: premature end of JPEG image\n", DecodeError),
        ("encode", "VipsJpeg: premature end of JPEG image\n", DecodeError),
        ("encode", "vipspng: libpng read error\n", DecodeError),
        ("encode", "webpsave: image too large\n", EncodeError),
        ("encode", "VipsJpeg: Maximum supported image dimension is 65500 pixels\n", EncodeError),
        ("transform", "extract_area: bad extract area\n", TransformError),
        ("transform", "gifload: Unexpected end of GIF source data\n", DecodeError),
    ],
)
def test_blame_falls_on_the_true_stage(photograph, stage, detail, kind):
    error = pyvips.Error.__new__(pyvips.Error)
    error.message, error.detail = "unable to call something", detail
    assert type(classify_error(error, stage, Input(stored(photograph, "JPEG")))) is kind


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP"])
def test_each_rendition_is_what_it_would_be_alone(photograph, container):
    data = stored(photograph, container)
    sizes = [320, 160, 64]
    renditions = [{"name": str(size), "steps": [{"operation": "resize", "width": size}], "encode": "png"} for size in sizes]
    several = process(Input(data), Recipe.from_builtins({"renditions": renditions}))
    assert [output.rendition for output in several.outputs] == ["320", "160", "64"]
    for rendition, output in zip(renditions, several.outputs, strict=True):
        alone = process(Input(data), Recipe.from_builtins({"renditions": [rendition]})).outputs[0]
        assert (output.width, output.height) == (alone.width, alone.height)
        first, second = (np.asarray(Pillow.open(io.BytesIO(made.data)), float) for made in (output, alone))
        assert np.sqrt(((first - second) ** 2).mean()) < 2.5


def test_shared_steps_come_before_those_of_a_rendition(photograph):
    recipe = Recipe.from_builtins({
        "steps": [{"operation": "resize", "width": 400}],
        "renditions": [{"name": "a"}, {"name": "b", "steps": [{"operation": "resize", "percent": 50}], "encode": "webp"}],
    })  # fmt: skip
    outputs = process(Input(stored(photograph)), recipe).outputs
    assert [(output.width, output.height, output.format) for output in outputs] == [(400, 300, "jpeg"), (200, 150, "webp")]


def test_a_file_is_read_by_its_path_as_from_memory(photograph, tmp_path):
    path = tmp_path / "caf\u00e9 \n.png"
    path.write_bytes(stored(photograph))
    assert process(Input(path=path), Recipe()).outputs == process(Input(path.read_bytes()), Recipe()).outputs
    assert process(Input(path=bytes(path)), Recipe()).outputs == process(Input(path.read_bytes()), Recipe()).outputs


@pytest.mark.parametrize(("size", "box", "wanted"), [((1, 3000), 256, (1, 256)), ((3000, 1), 256, (256, 1)), ((1, 1), 256, (1, 1))])
def test_no_side_becomes_less_than_one(size, box, wanted):
    recipe = Recipe.from_builtins({"steps": [{"operation": "resize", "width": box, "height": box}]})
    for container in ("PNG", "JPEG", "WEBP"):
        output = process(Input(stored(Pillow.new("RGB", size), container)), recipe).outputs[0]
        assert (output.width, output.height) == wanted


def test_linear_light_keeps_the_brightness_of_fine_stripes():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[::2] = 255
    data = stored(Pillow.fromarray(stripes))
    step = [{"operation": "resize", "width": 16}]

    def gray(**recipe):
        made = process(Input(data), Recipe.from_builtins({"steps": step, "renditions": [{"encode": "png"}], **recipe}))
        return np.asarray(Pillow.open(io.BytesIO(made.outputs[0].data)))[8, 8, 0]

    assert abs(int(gray()) - 128) < 8
    assert abs(int(gray(linear=True)) - 188) < 8


def test_bytes_before_and_after_a_jpeg_are_skipped(photograph):
    data = stored(photograph, "JPEG")
    clean = process(Input(data), Recipe()).outputs[0].data
    assert process(Input(b"\r\nContent-Type: image/jpeg\r\n\r\n" + data), Recipe()).outputs[0].data == clean
    assert process(Input(data + b"junk" + data), Recipe()).outputs[0].data == clean


def test_a_document_that_holds_a_jpeg_is_no_image(photograph):
    with pytest.raises(DecodeError, match="a PDF document"):
        process(Input(b"%PDF-1.7\n" + stored(photograph, "JPEG")), Recipe())
