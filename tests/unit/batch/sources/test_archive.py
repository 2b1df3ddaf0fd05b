"""Runs over archives: what comes out is what comes out of the folder that was packed."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import pixmill
from pixmill.batch.config.options import resolve
from pixmill.batch.inspect import status
from pixmill.batch.planning.plan import plan
from pixmill.batch.source import Folder
from pixmill.core.errors import AddressError, ConfigError
from support.invariants import identities, outputs

CORPUS = Path(__file__).parents[5] / "shared" / "corpus"


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    (folder / "deep" / ".hidden").mkdir(parents=True)
    names = ["a.jpg", "a.png", "deep/b.webp", "deep/.hidden/c.jpg", ".d.jpg"]
    for number, name in enumerate(names):
        Image.new("RGB", (40 + number, 30), (50 * number, 100, 200)).save(folder / name)
    (folder / "notes.txt").write_text("not an image")
    return folder


def pack(folder, path):
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.relative_to(folder))
    else:
        with tarfile.open(path, "w", dereference=True) as archive:
            for file in reversed(files):
                archive.add(file, file.relative_to(folder))
    return path


def contents(folder):
    return {name: (folder / name).read_bytes() for name in outputs(folder)}


@pytest.mark.parametrize("name", ["in.tar", "in.zip", "IN.ZIP", "odd % name.tar"])
def test_an_archive_makes_what_its_folder_makes(source, tmp_path, name):
    archive = pack(source, tmp_path / name)
    by_folder = pixmill.run(source, tmp_path / "by folder", workers=1)
    by_archive = pixmill.run(archive, tmp_path / "by archive", workers=1)
    assert by_archive.counts == by_folder.counts
    assert by_archive.ignored == {"not-an-image": 1, "hidden": 1}
    assert by_archive.bytes_in == by_folder.bytes_in
    assert contents(tmp_path / "by archive") == contents(tmp_path / "by folder")
    assert set(contents(tmp_path / "by archive")) == {"a.jpg", "a.png.jpg", "deep/b.jpg"}


@pytest.mark.parametrize("suffix", ["tar", "zip"])
def test_a_second_run_does_what_is_new_in_the_archive_and_nothing_else(source, tmp_path, suffix):
    out = tmp_path / "out"
    archive = pack(source, tmp_path / f"in.{suffix}")
    pixmill.run(archive, out, workers=1)
    before = identities(out)
    Image.new("RGB", (9, 9)).save(source / "0.jpg")
    pack(source, archive)
    report = pixmill.run(archive, out, workers=1)
    assert (report.counts.done, report.counts.skipped) == (1, 3)
    assert {name: identity for name, identity in identities(out).items() if name != "0.jpg"} == before


@pytest.mark.parametrize("options", [{"format": "keep"}, {"all_files": True}])
def test_looking_into_members_before_they_are_read_works_by_place(source, tmp_path, options):
    by_folder = pixmill.run(source, tmp_path / "a", workers=1, **options)
    by_archive = pixmill.run(pack(source, tmp_path / "in.tar"), tmp_path / "b", workers=1, **options)
    assert by_archive.counts == by_folder.counts
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("suffix", ["tar", "zip"])
def test_times_are_carried_over_as_far_as_the_archive_has_them(source, tmp_path, suffix):
    pixmill.run(pack(source, tmp_path / f"in.{suffix}"), tmp_path / "out", workers=1, preserve=["mtime"])
    day = 86_400  # a zip file knows no time zone
    assert abs((tmp_path / "out" / "a.jpg").stat().st_mtime - (source / "a.jpg").stat().st_mtime) < day


def test_what_cannot_be_taken_of_an_archive_is_a_failed_image(source, tmp_path):
    path = pack(source, tmp_path / "in.tar")
    with tarfile.open(path, "a") as archive:
        info = tarfile.TarInfo("../../escape.jpg")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"data"))
    report = pixmill.run(path, tmp_path / "out", workers=1)
    assert (report.counts.done, report.counts.failed, report.exit_code) == (3, 1, 1)
    with status.open_ledgers(str(tmp_path / "out")) as ledger:
        (failed,) = status.failures(ledger)
    assert "leads out of the archive" in failed.failure.message
    assert not list(tmp_path.rglob("escape*"))


def test_a_member_that_is_no_image_fails_alone(source, tmp_path):
    (source / "broken.jpg").write_bytes((source / "a.jpg").read_bytes()[:300])
    report = pixmill.run(pack(source, tmp_path / "in.zip"), tmp_path / "out", workers=1)
    assert (report.counts.done, report.counts.failed) == (3, 1)


def test_an_archive_without_images_says_so(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("x")
    with pytest.raises(ConfigError, match="no images found"):
        pixmill.run(pack(tmp_path / "in", tmp_path / "in.tar"), tmp_path / "out")


@pytest.mark.parametrize("name", ["in.tar.gz", "in.tgz"])
def test_an_archive_that_is_compressed_as_a_whole_is_refused_with_the_way_out(source, tmp_path, name):
    with tarfile.open(tmp_path / name, "w:gz") as archive:
        archive.add(source, ".")
    with pytest.raises(AddressError, match="compressed with gzip as a whole"):
        pixmill.run(tmp_path / name, tmp_path / "out")


def test_a_folder_that_is_called_like_an_archive_is_a_folder(source, tmp_path):
    folder = source.rename(tmp_path / "in.tar")
    assert pixmill.run(folder, tmp_path / "out", workers=1).counts.done == 3


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
@pytest.mark.parametrize("suffix", ["tar", "zip"])
def test_the_same_bytes_come_out_of_photographs(tmp_path, suffix):
    folder = tmp_path / "in"
    folder.mkdir()
    photos = sorted(path for path in (CORPUS / "photos").rglob("*") if path.suffix.lower() in (".jpg", ".png", ".webp"))[:6]
    for photo in photos:
        (folder / photo.name).symlink_to(photo)
    pixmill.run(folder, tmp_path / "a", size="200x200", follow_symlinks=True, workers=2)
    pixmill.run(pack(folder, tmp_path / f"in.{suffix}"), tmp_path / "b", size="200x200", workers=2)
    assert len(contents(tmp_path / "a")) == len(photos)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


ODD = ["A.PNG", "a.jpg", "a.png", "z.png", "\u00c9.png", "e\u0301.png"]


@pytest.mark.parametrize("suffix", ["tar", "zip"])
def test_a_large_folder_comes_in_parts_and_its_images_get_the_names_of_a_small_one(tmp_path, suffix):
    folder = tmp_path / "in"
    (folder / "z.jpg").mkdir(parents=True)
    for name in (*(f"M{number:05}.jpg" for number in range(2500)), *ODD, "z.jpg/below.png"):
        (folder / name).write_bytes(b"1")
    archive = pack(folder, tmp_path / f"in.{suffix}")
    in_parts, whole = (plan(resolve(str(archive), str(tmp_path / name), {})) for name in ("one", "other"))
    parts = list(in_parts.locations.source.folders(lambda *_: None))
    assert [len(part) > 1000 for part in parts] == [True, True, False, False]
    assert all(Folder(b"z.jpg", 0, b"") in part for part in parts[:3])
    names = {item.entry.path: item.names for item in in_parts.items()}
    first, below = whole.locations.source.storage.list()
    expected = [*whole.items_of([*first, Folder(b"z.jpg", 0, b"")]), *whole.items_of(below)]
    assert names == {item.entry.path: item.names for item in expected}
    assert names[b"z.png"] == (b"z.png.jpg",)
