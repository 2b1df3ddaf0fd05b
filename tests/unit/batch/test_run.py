"""Runs of the product, seen from Python: resuming, updating, sharing an output, and what is refused."""

import io
import json
import os
import threading
from hashlib import blake2b
from pathlib import Path

import pytest
from PIL import Image

import pixmill
from pixmill.batch.config.options import resolve
from pixmill.batch.inspect import status, verify
from pixmill.batch.planning.dry_run import dry_run
from pixmill.batch.planning.plan import plan
from support.invariants import check_complete, finished, identities, outputs, temporaries


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    (folder / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(["a.jpg", "a.png", "deep/b.webp", "deep/er/c.bmp"]):
        Image.new("RGB", (40 + number, 30), (50 * number, 100, 200)).save(folder / name)
    (folder / "notes.txt").write_text("not an image")
    return folder


def test_every_image_is_made_and_the_tree_mirrored(source, tmp_path):
    report = pixmill.run(source, tmp_path / "out", workers=1)
    assert report.counts.done == 4
    assert report.exit_code == 0
    assert set(outputs(tmp_path / "out")) == {"a.jpg", "a.png.jpg", "deep/b.jpg", "deep/er/c.jpg"}
    assert report.ignored == {"not-an-image": 1}
    assert report.bytes_in == sum(path.stat().st_size for path in source.rglob("*.*") if path.suffix != ".txt")


def test_a_second_run_does_nothing_and_a_changed_source_is_done_again(source, tmp_path):
    out = tmp_path / "out"
    pixmill.run(source, out, workers=1)
    before = identities(out)
    assert pixmill.run(source, out, workers=1).counts.skipped == 4
    assert identities(out) == before
    Image.new("RGB", (10, 10), "red").save(source / "a.png")
    report = pixmill.run(source, out, workers=1)
    assert (report.counts.done, report.counts.skipped) == (1, 3)
    assert {name for name, identity in identities(out).items() if before[name] != identity} == {"a.png.jpg"}


def test_another_recipe_does_everything_again_and_a_wider_limit_nothing(source, tmp_path):
    out = tmp_path / "out"
    pixmill.run(source, out, workers=1)
    assert pixmill.run(source, out, workers=1, max_pixels="50MP").counts.skipped == 4
    assert pixmill.run(source, out, workers=1, quality=60).counts.done == 4
    assert pixmill.run(source, out, workers=1, quality=60, force=True).counts.done == 4


def test_a_refused_image_is_made_once_its_limit_is_raised(source, tmp_path):
    out = tmp_path / "out"
    refused = pixmill.run(source, out, workers=1, max_pixels=41 * 30)
    assert refused.counts.failed == 2
    assert set(refused.failures) == {"limit-pixels"}
    assert refused.exit_code == 1
    mended = pixmill.run(source, out, workers=1)
    assert (mended.counts.done, mended.counts.skipped) == (2, 2)


def test_a_failure_is_remembered_until_it_is_asked_for_again(source, tmp_path):
    out = tmp_path / "out"
    (source / "broken.jpg").write_bytes((source / "a.jpg").read_bytes()[:300])
    first = pixmill.run(source, out, workers=1)
    assert first.counts.failed == 1
    assert pixmill.run(source, out, workers=1).remembered == 1
    with status.open_ledgers(str(out)) as ledger:
        (failed,) = status.failures(ledger)
        assert failed.path == b"broken.jpg"
        assert failed.failure.stage == "decode"
        assert status.reset_failures(ledger) == 1
    assert pixmill.run(source, out, workers=1).remembered == 0


def test_an_output_that_was_removed_or_emptied_is_made_again(source, tmp_path):
    out = tmp_path / "out"
    pixmill.run(source, out, workers=1)
    expected = outputs(out)
    (out / "a.jpg").unlink()
    (out / "deep/b.jpg").write_bytes(b"")
    assert pixmill.run(source, out, workers=1).counts.done == 2
    check_complete(out, expected)


def test_verify_finds_what_a_run_cannot_see_by_size(source, tmp_path):
    out = tmp_path / "out"
    pixmill.run(source, out, workers=1)
    data = (out / "a.jpg").read_bytes()
    (out / "a.jpg").write_bytes(data[:-1] + b"\0")
    (out / "deep/b.jpg").unlink()
    with status.open_ledgers(str(out)) as ledger:
        problems = {(problem.output, problem.what) for problem in verify.verify(ledger, str(out))}
    assert problems == {(b"a.jpg", "content"), (b"deep/b.jpg", "missing")}


def test_the_temporaries_of_a_dead_run_are_removed_and_nothing_else(source, tmp_path):
    out = tmp_path / "out"
    (out / "deep").mkdir(parents=True)
    (out / "deep" / ".pixmill-1of1-99-3.tmp").write_bytes(b"half")
    (out / "deep" / ".pixmill-notes.tmp").write_bytes(b"mine")
    pixmill.run(source, out, workers=1)
    assert temporaries(out) == []
    assert (out / "deep" / ".pixmill-notes.tmp").read_bytes() == b"mine"


@pytest.mark.parametrize("killed", [1, 2])
def test_what_a_killed_worker_left_half_written_is_removed_at_the_end_of_the_run(source, tmp_path, killed):
    out = tmp_path / "out"
    step = tmp_path / "step.py"
    step.write_text(
        "import os, pathlib, signal\n"
        "def step(image):\n"
        f"    marks = [pathlib.Path({str(tmp_path)!r}, name) for name in ('first', 'second')[:{killed}]]\n"
        "    for mark in marks:\n"
        "        if image.pixels.width == 40 and not mark.exists():\n"
        "            mark.touch()\n"
        f"            pathlib.Path({str(out)!r}, '.pixmill-1of1-%d-7.tmp' % os.getpid()).write_bytes(b'half')\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return image\n"
    )
    report = pixmill.run(source, out, step=[f"python:function={step}:step"], workers=1)
    assert report.counts.failed == (killed == 2)
    assert temporaries(out) == []


def test_two_runs_on_one_output_refuse_each_other(source, tmp_path):
    with pixmill.open_run(source, tmp_path / "out", workers=1):
        with pytest.raises(pixmill.RunError, match=f"another run is writing to .*process {os.getpid()}"):
            pixmill.run(source, tmp_path / "out")
        with pytest.raises(pixmill.RunError, match="another run is writing to"):
            pixmill.run(source, tmp_path / "out", shard="1/2")


def test_the_shards_of_one_output_may_run_side_by_side(source, tmp_path):
    out, reports = tmp_path / "out", []
    runs = [
        threading.Thread(target=lambda index=index: reports.append(pixmill.run(source, out, workers=1, shard=f"{index}/2")))
        for index in (1, 2)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sum(report.counts.done for report in reports) == 4
    assert len(outputs(out)) == 4


def test_a_run_that_is_left_early_can_be_resumed(source, tmp_path):
    out = tmp_path / "out"
    with pixmill.open_run(source, out, workers=1) as run:
        for _ in run:
            break
    assert 1 <= len(finished(out)) <= 4
    report = pixmill.run(source, out, workers=1)
    assert report.counts.done + report.counts.skipped == 4
    assert report.counts.skipped >= 1


def test_a_survey_says_what_a_run_would_do_and_writes_nothing(source, tmp_path):
    out = tmp_path / "out"
    config = resolve(str(source), str(out), {"workers": 1})
    counted = dry_run(plan(config))
    assert (counted.to_do, counted.unchanged, counted.renamed, counted.ignored) == (4, 0, 1, {"not-an-image": 1})
    assert (b"a.png", (b"a.png.jpg",)) in counted.examples
    assert not out.exists()
    pixmill.run(source, out, workers=1)
    assert dry_run(plan(config)).unchanged == 4


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: (folder / "nothing", folder / "out"), "does not exist"),
        (lambda folder: (folder / "in", folder / "in"), "source .*in and destination .*in are the same folder"),
        (lambda folder: (folder / "in" / "deep", folder / "in"), "in/deep is inside destination .*in, where outputs"),
        (lambda folder: (folder / "in", folder / "in/notes.txt"), "is a file, but must be a folder"),
        (lambda folder: (empty(folder), folder / "out"), "no images found"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_written(source, tmp_path, make, sentence):
    before = sorted(tmp_path.rglob("*"))
    places = make(tmp_path)
    with pytest.raises(pixmill.ConfigError, match=sentence):
        pixmill.run(*places)
    assert [path for path in sorted(tmp_path.rglob("*")) if path not in before and path.name != "empty"] == []
    assert source.exists()


def empty(folder):
    (folder / "empty").mkdir()
    return folder / "empty"


def test_an_output_inside_the_input_is_not_taken_as_input(source):
    pixmill.run(source, source / "out", workers=1)
    report = pixmill.run(source, source / "out", workers=1)
    assert (report.counts.found, report.counts.skipped) == (4, 4)


@pytest.mark.parametrize("time", [1_234_567_890_000_000_000, -157_766_400_000_000_000], ids=["2009", "1965"])
def test_the_modification_time_is_kept_where_that_was_asked_for(source, tmp_path, time):
    os.utime(source / "a.jpg", ns=(1_000_000_000, time))
    pixmill.run(source, tmp_path / "out", workers=1, preserve=["mtime"])
    assert (tmp_path / "out" / "a.jpg").stat().st_mtime_ns == time
    assert pixmill.run(source, tmp_path / "out", workers=1, preserve=["mtime"]).counts.skipped == 4


def test_one_image_is_made_from_bytes(source):
    made = Image.open(io.BytesIO(pixmill.process((source / "a.png").read_bytes(), pixmill.Recipe(steps=["resize:width=20"]))))
    assert (made.format, made.width) == ("JPEG", 20)


def test_one_file_may_be_the_source(source, tmp_path):
    report = pixmill.run(source / "a.png", tmp_path / "out", workers=1)
    assert report.counts.done == 1
    assert set(outputs(tmp_path / "out")) == {"a.jpg"}


def test_only_the_rendition_that_changed_is_made_again(source, tmp_path):
    out = tmp_path / "out"
    small, large = ({"name": str(width), "steps": [f"resize:width={width}"]} for width in (8, 16))
    pixmill.run(source, out, pixmill.Recipe(renditions=[small, large]), workers=1)
    before = identities(out)
    sharper = large | {"steps": ["resize:width=16", "sharpen"]}
    report = pixmill.run(source, out, pixmill.Recipe(renditions=[small, sharper]), workers=1)
    assert (report.counts.done, report.outputs) == (4, 4)
    changed = {name for name, identity in identities(out).items() if before[name] != identity}
    assert changed == {"a-16.jpg", "a.png-16.jpg", "deep/b-16.jpg", "deep/er/c-16.jpg"}


def test_an_index_lists_every_output_with_what_a_web_page_needs(source, tmp_path):
    index = tmp_path / "index.jsonl"
    pixmill.run(source, tmp_path / "out", workers=1, sizes=[8, 16], index=str(index))
    entries = {entry["source"]: entry for entry in map(json.loads, index.read_text().splitlines())}
    assert set(entries) == {"a.jpg", "a.png", "deep/b.webp", "deep/er/c.bmp"}
    first = entries["a.png"]["outputs"][0]
    data = (tmp_path / "out" / first["path"]).read_bytes()
    assert (first["bytes"], first["digest"]) == (len(data), blake2b(data, digest_size=16).hexdigest())
    assert entries["deep/b.webp"]["srcset"] == {"jpeg": "deep/b-8.jpg 8w, deep/b-16.jpg 16w"}


def test_an_index_says_how_each_output_looks_also_when_it_was_made_before(source, tmp_path):
    out, index = tmp_path / "out", tmp_path / "index.jsonl"
    exif = Image.Exif()
    exif[0x0132] = "2024:05:17 10:11:12"
    Image.new("RGB", (40, 30), (200, 30, 10)).save(source / "a.jpg", exif=exif)
    seen = []
    for keywords in ({"sizes": [8, 16]}, {"sizes": [8, 16]}, {"sizes": [8, 16, 4]}):
        pixmill.run(source, out, workers=1, index=str(index), **keywords)
        seen.append({entry["source"]: entry for entry in map(json.loads, index.read_text().splitlines())})
    first, again, larger = (entries["a.jpg"] for entries in seen)
    assert first == again
    assert first["captured_at"] == larger["captured_at"] == "2024-05-17T10:11:12"
    assert larger["outputs"][:2] == first["outputs"]
    for output in larger["outputs"]:
        assert output["dominant_color"].startswith("#c")
        assert len(output["dhash"]) == 16
        assert len(output["thumbhash"]) >= 28
    assert seen[0]["a.png"]["captured_at"] is None


def test_an_index_says_which_outputs_were_made_without_one(source, tmp_path):
    out, index = tmp_path / "out", str(tmp_path / "index.jsonl")
    pixmill.run(source, out, workers=1)
    remarks = []
    for keywords in ({}, {"force": True}, {}):
        with pixmill.open_run(source, out, workers=1, index=index, **keywords) as run:
            list(run)
            remarks.append([remark for remark in run.remarks if "thumbhash" in remark])
        lines = [json.loads(line) for line in Path(index).read_text().splitlines()]
        is_known = {output["dhash"] is not None for line in lines for output in line["outputs"]}
        assert is_known == {bool(len(remarks) > 1)}
    (remark,), *later = remarks
    assert remark.endswith("captured_at of 4 finished images from a run without --index: --force makes them again")
    assert later == [[], []]


def test_folders_and_files_whose_names_are_not_utf_8_are_processed_and_can_be_run_again_from_the_ledger(source, tmp_path):
    odd, out = (tmp_path / os.fsdecode(name) for name in (b"in \xff", b"out \xff"))
    name = os.fsdecode(b"a\xfe\n\x1b[31m.jpg")
    source.rename(odd)
    (odd / "a.jpg").rename(odd / name)
    assert pixmill.run(odd, out, workers=1).counts.done == 4
    assert (out / name).exists()
    with status.open_ledgers(str(out)) as ledger:
        assert status.last_config(ledger).source == str(odd)


def test_a_watermark_that_changes_is_a_change_of_the_recipe_and_one_that_is_missing_is_refused(source, tmp_path):
    mark = tmp_path / "mark.png"
    recipe = {"steps": [{"operation": "watermark", "image": str(mark)}]}
    with pytest.raises(pixmill.ConfigError, match="file not found"):
        pixmill.run(source, tmp_path / "out", pixmill.Recipe.from_builtins(recipe))
    Image.new("RGBA", (4, 4), "red").save(mark)
    pixmill.run(source, tmp_path / "out", pixmill.Recipe.from_builtins(recipe), workers=1)
    assert pixmill.run(source, tmp_path / "out", pixmill.Recipe.from_builtins(recipe), workers=1).counts.skipped == 4
    Image.new("RGBA", (4, 4), "blue").save(mark)
    assert pixmill.run(source, tmp_path / "out", pixmill.Recipe.from_builtins(recipe), workers=1).counts.done == 4


def paint_it_black(image):
    return image.map_colour(lambda colour: colour * 0)


def test_a_function_of_the_users_own_is_a_step(source, tmp_path):
    pixmill.run(source, tmp_path / "out", pixmill.Recipe(steps=[paint_it_black]), workers=1)
    assert Image.open(tmp_path / "out" / "deep" / "b.jpg").getextrema() == ((0, 0), (0, 0), (0, 0))


def test_a_file_of_exactly_the_largest_size_is_read_and_one_byte_more_is_refused(source, tmp_path):
    size = (source / "a.jpg").stat().st_size
    assert pixmill.run(source / "a.jpg", tmp_path / "fits", workers=1, max_source_bytes=size).counts.done == 1
    refused = pixmill.run(source / "a.jpg", tmp_path / "refused", workers=1, max_source_bytes=size - 1)
    assert set(refused.failures) == {"limit-bytes"}
    assert outputs(tmp_path / "refused") == {}
