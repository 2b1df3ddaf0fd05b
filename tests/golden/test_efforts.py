"""The effort changes bytes and time, not how good a file looks: a quality means the same score, and PNG loses nothing."""

import io
from functools import cache
from statistics import mean

import numpy as np
import pytest
from PIL import Image

import pixmill.imaging.image
from pixmill.imaging.codec import Codec
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.search.appearance import Appearance
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support import score_oracle

EFFORTS = ["jpeg:effort=fast", "jpeg:effort=best", "webp:effort=fast", "webp:effort=best", "avif:effort=fast"]
CLOSE = 0.5  # of a point, the mean over photographs
QUALITIES = (75, 85, 92)


def stored(picture):
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def made(data, codec, **recipe):
    return process(Input(data), Recipe.from_builtins({"steps": [], "renditions": [{"encode": codec}], **recipe})).outputs[0].data


@cache
def photographs(count, size):
    return tuple(picture for _, picture in score_oracle.photographs(count, size))


def compared(encode, qualities, pictures):
    """Return the mean difference of the scores to those of the default effort, and the mean ratio of the bytes."""
    differences, ratios = [], []
    for picture in pictures:
        image = pixmill.imaging.image.Image.from_numpy(np.asarray(picture).copy())
        appearance = Appearance(image)
        for quality in qualities:
            codec = Codec.from_builtins(encode).evolve(quality=quality)
            files = [each.encode(image) for each in (codec.evolve(effort="default"), codec)]
            scores = [appearance.score(file, codec) for file in files]
            differences.append(scores[1] - scores[0])
            ratios.append(len(files[1]) / len(files[0]))
    return mean(differences), mean(ratios)


@pytest.mark.parametrize("encode", EFFORTS)
def test_the_same_quality_means_the_same_score_in_every_effort(encode):
    difference, ratio = compared(encode, QUALITIES, photographs(10, (400, 300)))
    assert abs(difference) < CLOSE
    assert ratio < 0.98 if "best" in encode else 1 < ratio < 1.15


@pytest.mark.long
@pytest.mark.parametrize("encode", EFFORTS)
@pytest.mark.parametrize("quality", [50, 60, 70, 80, 85, 89, 90, 95])
def test_over_more_photographs_every_quality_means_the_same_score(encode, quality):
    assert abs(compared(encode, (quality,), photographs(20, (800, 600)))[0]) < CLOSE


def test_a_gray_photograph_of_the_best_effort_scores_as_much_in_fewer_bytes():
    grays = [picture.convert("L") for picture in photographs(10, (400, 300))]
    difference, ratio = compared("jpeg:effort=best", QUALITIES, grays)
    assert abs(difference) < CLOSE
    assert ratio < 0.95


@pytest.mark.parametrize(("quality", "subsampling"), [(89, 2), (90, 1)])
def test_the_quality_asked_for_decides_about_chroma(quality, subsampling):
    """The one for the encoder is 90 in both cases, and more."""
    for encode in ("jpeg:effort=best", "avif:effort=fast"):
        picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8))
        data = made(stored(picture), Codec.from_builtins(encode).evolve(quality=quality))
        if encode.startswith("jpeg"):
            assert Image.open(io.BytesIO(data)).layer[0][1] == subsampling
        else:  # the flags for subsampling in the configuration of AV1
            assert data[data.index(b"av1C") + 6] >> 2 & 3 == (3 if subsampling == 2 else 0)


def drawing(mode):
    """A picture with few colours, large enough for a palette to pay."""
    pixels = np.kron(np.random.default_rng(3).integers(0, 2, (20, 30, 1)), np.ones((8, 8, 1))).astype(np.uint8)
    colours = np.array([[200, 30, 40, 255], [10, 90, 220, 128]], np.uint8)[pixels[..., 0]]
    return Image.fromarray(colours, "RGBA").convert(mode)


def exact_pictures():
    noise = np.random.default_rng(2).integers(0, 255, (90, 120, 4), np.uint8)
    yield from (drawing(mode) for mode in ("RGB", "RGBA", "L"))
    yield from (Image.fromarray(noise, "RGBA").convert(mode) for mode in ("RGB", "RGBA", "L", "LA"))
    yield Image.fromarray(np.linspace(0, 65535, 100 * 80).reshape(80, 100).astype(np.uint16))


@pytest.mark.parametrize("settings", ["effort=best", "effort=fast", "effort=best,progressive=true"])
def test_no_effort_changes_a_pixel_of_a_png(settings):
    for picture in exact_pictures():
        data = made(stored(picture), f"png:{settings}", depth="keep")
        opened = Image.open(io.BytesIO(data))
        mode = picture.mode if picture.mode.startswith("I") else "RGBA"
        assert np.array_equal(np.asarray(opened.convert(mode)), np.asarray(picture.convert(mode)))
        assert bool(opened.info.get("interlace")) is ("progressive" in settings)


def test_a_drawing_by_the_best_effort_takes_a_fraction_of_the_bytes():
    data = stored(drawing("RGB"))
    assert len(made(data, "png:effort=best")) < 0.5 * len(made(data, "png"))


def test_a_zlib_level_that_was_asked_for_is_kept_by_the_best_effort():
    data = stored(drawing("RGB"))
    assert made(data, "png:effort=best,compression=6") == made(data, "png:compression=6")


def test_a_profile_stays_in_a_png_of_the_best_effort():
    from PIL import ImageCms  # noqa: PLC0415  # slow to import

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    file = io.BytesIO()
    gray_ramp = Image.fromarray(np.tile(np.arange(240, dtype=np.uint8), (90, 1))).convert("RGB")
    gray_ramp.save(file, "PNG", icc_profile=profile)
    opened = Image.open(io.BytesIO(made(file.getvalue(), "png:effort=best", color="keep")))
    assert np.array_equal(np.asarray(opened.convert("RGB")), np.asarray(gray_ramp))
