"""With ``--target-quality``, each output is the smallest file that looks as good as asked for, by an independent scorer."""

import io
import json
import logging
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw

import pixmill
from pixmill.core.errors import RecipeError
from pixmill.imaging.codec import Codec
from pixmill.imaging.colour.icc_write import gray_profile
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline import finish
from pixmill.imaging.pipeline.finish import BELOW_TARGET, SCORED
from pixmill.imaging.pipeline.search.score_search import MAX_ATTEMPTS
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support import score_oracle

HIGHEST = 95
UNCERTAINTY = 0.1  # of our score against the package's


def scene(size=(240, 160), seed=5, noise=4):
    """A picture with detail at all scales, most of it in luma, as of a photograph."""
    random = np.random.default_rng(seed)
    colours, grays = random.integers(80, 170, (4, 6, 3)), random.integers(-60, 60, (20, 30, 1))
    blocks = np.kron(colours, np.ones((5, 5, 1))) + grays
    coarse = Image.fromarray(blocks.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    return Image.fromarray(np.clip(np.asarray(coarse, int) + random.normal(0, noise, (*size[::-1], 1)), 0, 255).astype(np.uint8))


def stored(image, container="PNG", **settings):
    file = io.BytesIO()
    image.save(file, container, **settings)
    return file.getvalue()


def made(data, *renditions, **recipe):
    return process(Input(data), Recipe.from_builtins({"steps": [], "renditions": list(renditions), **recipe}))


def opened(data):
    if data.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL")):
        pytest.importorskip("pillow_jxl", reason="the extra jxl is not installed")
    return Image.open(io.BytesIO(data))


def at(data, encode, quality):
    """The file of a quality that is given."""
    return made(data, {"encode": Codec.from_builtins(encode).evolve(quality=quality)}).outputs[0].data


def misses(photographs, encodings, target, caplog):
    """Return how far each file is from a target that its highest quality reaches.

    A file that is more than a point better is one for which the codec has nothing between it and more than a point too little.
    """
    caplog.set_level(logging.DEBUG, logger=finish.__name__)
    oracle, result = score_oracle.oracle(), []
    for name, picture in photographs:
        data = stored(picture)
        for encode in encodings:
            caplog.clear()
            made_of = made(data, {"encode": encode, "target_quality": target})
            file, highest = made_of.outputs[0].data, at(data, encode, HIGHEST)
            attempts = [record for record in caplog.records if record.msg == SCORED]
            score = oracle(picture, opened(file))
            assert len(attempts) <= MAX_ATTEMPTS
            assert len(file) <= len(highest), (name, encode)
            if BELOW_TARGET in made_of.notes:
                assert oracle(picture, opened(highest)) < target, (name, encode)
                assert score < target
                continue
            assert score > target - 1 - UNCERTAINTY, (name, encode)
            if score > target + 1 + UNCERTAINTY:
                (quality,) = {record.quality for record in attempts if record.bytes == len(file)}
                assert oracle(picture, opened(below(data, encode, quality, file))) < target - 1 + UNCERTAINTY, (name, encode)
            else:
                result.append(abs(score - target))
    return result


def below(data, encode, quality, file):
    """Return the file of the next lower step, among those that are searched, than the one of ``quality`` that made ``file``."""
    rungs = Codec.from_builtins(encode).by_quality()
    after = next(rung for rung in range(1, len(rungs)) if rungs[rung].lossy_quality == quality and of(data, rungs[rung]) == file)
    return of(data, rungs[after - 1])


def of(data, codec):
    """Return the file that ``codec`` makes."""
    return made(data, {"encode": codec}).outputs[0].data


def test_photographs_score_as_asked_for(caplog):
    pytest.importorskip("pillow_jxl", reason="the extra jxl is not installed")
    photographs = list(score_oracle.photographs(2, (320, 240)))
    found = misses(photographs, ("jpeg", "webp", "avif:effort=fast", "jxl:effort=fast"), 75, caplog)
    assert len(found) > 5
    misses(photographs, ("jpeg",), 88, caplog)


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("target", [60, 70, 80, 90])
def test_a_hundred_photographs_score_as_asked_for(target, caplog):
    found = misses(score_oracle.photographs(100, (640, 480)), ("jpeg", "webp"), target, caplog)
    assert np.median(found) < 0.5


def test_the_file_is_as_small_as_its_score_allows():
    data = stored(scene())
    oracle = score_oracle.oracle()
    (output,) = made(data, {"encode": "webp", "target_quality": 75}).outputs
    files = [at(data, "webp", quality) for quality in range(10, 96, 4)]
    scores = [(oracle(opened(data), opened(file)), len(file)) for file in files]
    assert max(size for score, size in scores if score < 73.5) < len(output.data)
    assert len(output.data) < min(size for score, size in scores if score > 76.5)


def test_a_higher_target_takes_more_bytes_also_where_chroma_changes():
    data = stored(scene())
    sizes = [len(made(data, {"encode": "jpeg", "target_quality": target}).outputs[0].data) for target in range(60, 94, 3)]
    assert all(one < other for one, other in pairwise(sizes))


def test_a_target_out_of_reach_gives_the_highest_quality_and_a_note():
    data = stored(scene(noise=20))
    result = made(data, {"encode": "webp", "target_quality": 100})
    assert result.notes == (BELOW_TARGET,)
    assert result.outputs[0].data == at(data, "webp", HIGHEST)


def test_a_maximum_size_comes_first():
    data = stored(scene())
    (free,) = made(data, {"encode": "jpeg", "target_quality": 85}).outputs
    limited = made(data, {"encode": "jpeg", "target_quality": 85, "max_size": len(free.data) * 2 // 3})
    assert len(limited.outputs[0].data) <= len(free.data) * 2 // 3
    assert limited.notes == (BELOW_TARGET,)
    roomy = made(data, {"encode": "jpeg", "target_quality": 85, "max_size": len(free.data)})
    assert (roomy.outputs[0].data, roomy.notes) == (free.data, ())


def with_alpha(picture):
    mask = Image.new("L", picture.size, 255)
    ImageDraw.Draw(mask).ellipse((20, 20, 120, 120), fill=0)
    picture.putalpha(mask)
    return picture


def test_transparency_is_scored_on_two_backgrounds():
    picture = with_alpha(scene())
    oracle = score_oracle.oracle()
    (output,) = made(stored(picture), {"encode": "webp", "target_quality": 80}).outputs
    scores = []
    for gray in (26, 230):
        behind = Image.new("RGBA", picture.size, (gray, gray, gray, 255))
        scores.append(oracle(Image.alpha_composite(behind, picture), Image.alpha_composite(behind, opened(output.data))))
    assert min(scores) == pytest.approx(80, abs=1.2)


@pytest.mark.parametrize("hidden", [26, 230])
def test_what_is_seen_on_one_background_alone_counts(hidden):
    shadow = Image.new("RGB", (160, 120), (hidden, hidden, hidden))
    shadow.putalpha(scene((160, 120)).convert("L"))
    result = made(stored(shadow), {"encode": "webp:alpha_quality=0", "target_quality": 90})
    assert result.notes == (BELOW_TARGET,)


def test_a_transparent_picture_that_becomes_a_jpeg_is_compared_with_what_was_encoded():
    picture = with_alpha(scene())
    oracle = score_oracle.oracle()
    (output,) = made(stored(picture), {"encode": "jpeg", "target_quality": 80}, background="#204060").outputs
    behind = Image.new("RGBA", picture.size, "#204060")
    assert oracle(Image.alpha_composite(behind, picture), opened(output.data)) == pytest.approx(80, abs=1)


def test_gray_pictures_and_those_with_a_profile_have_targets_too():
    gray = scene().convert("L")
    oracle = score_oracle.oracle()
    (output,) = made(stored(gray), {"encode": "jpeg", "target_quality": 80}).outputs
    assert opened(output.data).mode == "L"
    assert oracle(gray, opened(output.data)) == pytest.approx(80, abs=1)
    tagged = made(stored(gray, icc_profile=gray_profile(1.8)), {"encode": "jpeg", "target_quality": 80}, color="keep")
    assert tagged.notes == ()
    assert len(tagged.outputs[0].data) == pytest.approx(len(output.data), rel=0.5)


def test_16_bits_are_scored_in_8():
    deep = np.asarray(scene().convert("L"), np.uint16) * 257
    (output,) = made(stored(Image.fromarray(deep)), {"encode": "avif:effort=fast", "target_quality": 80}, depth="keep").outputs
    assert len(output.data) < len(at(stored(Image.fromarray(deep)), "avif:effort=fast", HIGHEST))


@pytest.mark.parametrize("encode", ["webp", "avif:effort=fast"])
def test_an_animation_looks_good_in_its_worst_frame(encode):
    frames = [Image.new("RGB", (160, 120)), *(scene((160, 120), seed) for seed in (1, 2, 2))]  # an encoder may join the last two
    data = stored(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=80, loop=0)
    result = made(data, {"encode": encode, "target_quality": 75}, animated="keep")
    still = made(data, {"encode": encode, "target_quality": 75}, animated="first")
    assert len(result.outputs[0].data) > 10 * len(still.outputs[0].data)
    oracle, animation, source = score_oracle.oracle(), opened(result.outputs[0].data), opened(data)
    animation.seek(1)
    source.seek(1)
    assert oracle(source, animation) > 74


def test_keep_aims_where_the_format_has_a_quality_and_never_above_that_of_the_source():
    picture = scene()
    oracle = score_oracle.oracle()
    (jpeg,) = made(stored(picture, "JPEG", quality=97), {"encode": "keep", "target_quality": 80}).outputs
    assert oracle(picture, opened(jpeg.data)) == pytest.approx(80, abs=2)
    (png,) = made(stored(picture), {"encode": "keep", "target_quality": 80}).outputs
    assert np.array_equal(np.asarray(opened(png.data)), np.asarray(picture))
    source = stored(picture, "JPEG", quality=40)
    (worse,) = made(source, {"encode": "keep", "target_quality": 99}).outputs
    assert len(worse.data) < 1.1 * len(source)


def test_a_drawing_becomes_lossless_where_that_is_smaller():
    drawing = Image.new("RGB", (200, 150), "white")
    ImageDraw.Draw(drawing).rectangle((20, 20, 90, 90), fill="navy")
    (output,) = made(stored(drawing), {"encode": "webp:lossless=auto", "target_quality": 85}).outputs
    assert np.array_equal(np.asarray(opened(output.data)), np.asarray(drawing))


def test_the_reached_scores_are_in_the_index_and_in_the_report(tmp_path):
    pictures = {f"{seed}.png": scene(seed=seed) for seed in (5, 6, 7)}
    photos, out, index = tmp_path / "photos", tmp_path / "out", tmp_path / "index.jsonl"
    photos.mkdir()
    for name, picture in pictures.items():
        picture.save(photos / name)
    options = {"formats": ["webp", "png"], "target_quality": 80, "size": "keep", "workers": 1, "index": str(index)}
    report = pixmill.run(photos, out, **options)
    oracle, told = score_oracle.oracle(), []
    for entry in map(json.loads, index.read_text().splitlines()):
        webp, png = sorted(entry["outputs"], key=lambda output: output["format"] != "webp")
        assert webp["score"] == pytest.approx(oracle(pictures[entry["source"]], Image.open(out / webp["path"])), abs=0.1)
        assert png["score"] is None
        told.append(webp["score"])
    assert {float(score) for score in report.scores} == {round(score, 1) for score in told}
    assert sum(report.scores.values()) == len(pictures)
    recorded = index.read_text()
    assert pixmill.run(photos, out, **options).scores == {}
    assert index.read_text() == recorded


@pytest.mark.parametrize("effort", ["fast", "default"])
def test_the_qualities_of_avif_that_are_searched_all_make_different_files(effort):
    data = stored(scene((48, 48)))
    every = {at(data, f"avif:effort={effort}", quality) for quality in range(1, HIGHEST + 1)}
    searched = [of(data, rung) for rung in Codec.from_builtins(f"avif:effort={effort}").by_quality()]
    assert len(searched) == len(set(searched))
    assert set(searched) == every


@pytest.mark.parametrize("size", [(1, 1), (3, 90), (16, 16)])
def test_tiny_pictures_have_a_score_too(size):
    (output,) = made(stored(scene(size)), {"encode": "jpeg", "target_quality": 80}).outputs
    assert opened(output.data).size == size


@pytest.mark.parametrize(
    ("rendition", "message"),
    [
        ({"encode": "png"}, "png has no quality to search for"),
        ({"encode": "gif"}, "gif has no quality to search for"),
        ({"encode": "webp:lossless=true"}, "webp:lossless=true has no quality to search for"),
        ({"encode": "jpeg:quality=70"}, "the quality is searched for, but jpeg:quality=70 gives one"),
        ({"encode": "keep:quality=70"}, "the quality is searched for, but keep:quality=70 gives one"),
        ({"target_quality": 101}, "expected an integer from 1 to 100, received 101"),
    ],
)
def test_a_target_that_means_nothing_is_refused(rendition, message):
    with pytest.raises(RecipeError) as refused:
        Recipe.from_builtins({"renditions": [{"target_quality": 80, **rendition}]})
    assert message in refused.value.message


def test_a_recipe_without_a_target_has_the_fingerprint_that_it_had_before_there_were_any():
    plain, *aiming = (Recipe.from_builtins({"renditions": [{"target_quality": target}]}) for target in (None, 80, 81))
    assert "target_quality" not in plain.identity()["renditions"][0]
    assert len({each.fingerprint() for each in (plain, *aiming)}) == 3
