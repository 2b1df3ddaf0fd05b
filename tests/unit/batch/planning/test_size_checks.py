"""What ``plan`` tells from the headers of the first images, read by workers."""

import os
import zipfile

import pytest
from PIL import Image

from pixmill.batch.config.options import resolve
from pixmill.batch.planning import size_checks
from pixmill.batch.planning.dry_run import dry_run
from pixmill.batch.planning.plan import plan
from pixmill.storage.open import open_storage

CROP = ("crop:width=10,height=10,left=50",)
TURNED = 6  # Exif: stored lying on its left side


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    Image.new("RGB", (40, 30), "red").save(source / "small.png")
    Image.new("RGB", (90, 30), "red").save(source / "wide.jpg")
    exif = Image.Exif()
    exif[0x0112] = TURNED
    Image.new("RGB", (30, 80), "red").save(source / "turned.jpg", exif=exif)
    (source / "bad.jpg").write_bytes(b"\xff\xd8\xff and nothing more")
    return source


def warnings(source, tmp_path, **options):
    return dry_run(plan(resolve(str(source), str(tmp_path / "out"), options))).warnings


def test_a_step_that_will_fail_is_named_before_it_does(folder, tmp_path):
    (said,) = warnings(folder, tmp_path, step=CROP)
    assert said.startswith("step 1 (crop) will fail on 1 of the 3 images examined: the rectangle at 50,")
    assert said.endswith("is outside the image of 40x30")
    assert not (tmp_path / "out").exists()


def test_members_of_an_archive_are_looked_at_too(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    (said,) = warnings(tmp_path / "in.zip", tmp_path, step=CROP)
    assert said.startswith("step 1 (crop) will fail on 1 of the 3 images")


def test_images_of_a_bucket_are_looked_at_by_their_beginning(folder, tmp_path, s3):
    root = f"s3://{s3}/foresight"
    for path in folder.iterdir():
        open_storage(root).write(os.fsencode(path.name), path.read_bytes(), durable=True)
    (said,) = warnings(root, tmp_path, step=CROP)
    assert said.startswith("step 1 (crop) will fail on 1 of the 3 images")


def test_the_first_two_hundred_of_many_are_looked_at(folder, tmp_path):
    for number in range(size_checks.LOCAL_SAMPLE_SIZE):
        (folder / f"a{number:03}.png").write_bytes((folder / "small.png").read_bytes())
    (said,) = warnings(folder, tmp_path, step=CROP)
    assert said.startswith("step 1 (crop) will fail on 200 of the 200 images examined")


def test_a_file_that_is_not_there_any_more_is_no_reason_to_fail(folder, tmp_path):
    made = plan(resolve(str(folder), str(tmp_path / "out"), {"step": CROP}))
    items = list(made.items())
    (folder / "small.png").unlink()
    assert size_checks.warnings(made, items) == []


def test_no_header_is_looked_at_where_no_step_depends_on_it(folder, tmp_path):
    for options in ({}, {"size": "keep"}, {"step": ("crop:width=9", "sharpen")}):
        assert size_checks.sample_size(plan(resolve(str(folder), str(tmp_path / "out"), options))) == 0
