"""DST on file systems that are not the usual one: all that is promised holds there, by whatever means there are (O3, O7, O10)."""

import pytest

from support.invariants import counts, failed, finished, outputs, temporaries
from support.snapshots import snapshot

FOREIGN = b"mine"


@pytest.fixture
def pictures(photos, tmp_path, untouched):
    """Return a folder of three pictures on the usual file system."""
    source = photos(tmp_path / "in")
    untouched(source)
    return source


def test_a_run_makes_everything_there_and_the_next_does_nothing(disk, pixmill, pictures, tmp_path):
    assert pixmill("run", pictures, "usual", "--executor", "inline").code == 0
    place = disk.root / "out"
    told = pixmill("run", pictures, place, "--preserve", "mtime")
    assert told.code == 0, told.stderr
    assert outputs(place) == outputs(tmp_path / "usual")
    made = snapshot(place, inodes=disk.inodes)
    again = pixmill("run", pictures, place, "--preserve", "mtime")
    assert again.code == 0, again.stderr
    assert "skipped   3 images" in again.stderr
    assert snapshot(place, inodes=disk.inodes) == made
    assert temporaries(place) == []


def test_foreign_files_stay_and_the_right_bytes_are_adopted_there(disk, pixmill, pictures, tmp_path, untouched):
    assert pixmill("run", pictures, "usual", "--executor", "inline").code == 0
    place = disk.root / "out"
    place.mkdir()
    (place / "a.jpg").write_bytes(FOREIGN)
    (place / "b.jpg").write_bytes((tmp_path / "usual" / "b.jpg").read_bytes())
    untouched(place, inodes=disk.inodes)
    told = pixmill("run", pictures, place, "--executor", "inline")
    assert told.code == 1, told.stderr
    assert {name: record.failure.code for name, record in failed(place).items()} == {"a.jpg": "exists"}
    assert counts(place).done == 2
    assert temporaries(place) == []


def test_what_changed_is_replaced_there_and_so_is_a_foreign_file_when_asked(disk, pixmill, draw, tmp_path):
    place = disk.root / "out"
    place.mkdir()
    (place / "a.jpg").write_bytes(FOREIGN)
    source = tmp_path / "changing"
    for name in ("a.jpg", "b.jpg"):
        draw(source / name, 10)
    assert pixmill("run", source, place, "--existing", "replace", "--executor", "inline").code == 0
    first = outputs(place)
    draw(source / "b.jpg", 250)
    told = pixmill("run", source, place, "--executor", "inline")
    assert told.code == 0, told.stderr
    assert outputs(place)["a.jpg"] == first["a.jpg"] != FOREIGN
    assert outputs(place)["b.jpg"] != first["b.jpg"]


def test_sources_that_differ_in_case_alone_never_share_a_file_there(caseless, pixmill, draw, tmp_path):
    for number, name in enumerate(("Dir/x.jpg", "dir/x.jpg", "Dir/Y.jpg", "dir/y.jpg", "z.jpg", "Z.JPG")):
        draw(tmp_path / "in" / name, 30 * number)
    place = caseless.root / "out"
    told = pixmill("run", "in", place)
    assert told.code in (0, 1), told.stderr
    held = finished(place)
    assert len(held) == counts(place).done == len(outputs(place)), "an image that is called done has no file of its own"
    assert counts(place).found == 6
    assert pixmill("verify", place).code == told.code


def test_a_source_on_such_a_disk_is_read_and_never_written(disk, pixmill, photos, untouched):
    source = photos(disk.root / "in")
    untouched(source, inodes=disk.inodes)
    told = pixmill("run", source, disk.root / "out")
    assert told.code == 0, told.stderr
    assert sorted(outputs(disk.root / "out")) == ["a.jpg", "b.jpg", "sub/c.jpg"]


def test_where_a_name_can_only_be_checked_the_run_says_so_once(disk, pixmill, pictures):
    usual = pixmill("run", pictures, "usual", "--progress", "none").stderr
    told = pixmill("run", pictures, disk.root / "out", "--progress", "none").stderr
    extra = {line for line in told.splitlines() if line.startswith(("warning", "note"))} - set(usual.splitlines())
    assert len(extra) == (0 if disk.has_links else 1), told


def test_a_disk_that_is_linked_to_below_the_destination_is_not_written_to_unless_asked(mounts, pixmill, pictures, tmp_path):
    other = mounts.disk("tmpfs")
    place = tmp_path / "out"
    place.mkdir()
    (place / "sub").symlink_to(other)
    told = pixmill("run", pictures, place, "--executor", "inline")
    assert told.code == 1, told.stderr
    assert {name: record.failure.code for name, record in failed(place).items()} == {"sub/c.jpg": "write-link"}
    assert list(other.iterdir()) == []
    assert "--follow-output-links" in told.stderr + pixmill("failures", place).stdout
    told = pixmill("run", pictures, place, "--follow-output-links", "--executor", "inline")
    assert told.code == 0, told.stderr
    assert [path.name for path in other.iterdir()] == ["c.jpg"]
    assert (place / "sub").is_symlink()


def test_a_disk_that_is_mounted_below_the_destination_is_part_of_it(mounts, pixmill, pictures, tmp_path):
    other = mounts.disk("tmpfs")
    mounts.bind(other, tmp_path / "out")
    (tmp_path / "out" / "sub").mkdir()
    mounts.bind(mounts.disk("tmpfs"), tmp_path / "out" / "sub")
    for expected in ("done      3 images", "skipped   3 images"):
        told = pixmill("run", pictures, tmp_path / "out", "--executor", "inline")
        assert told.code == 0, told.stderr
        assert expected in told.stderr
    assert (tmp_path / "out" / "sub").stat().st_dev != (tmp_path / "out").stat().st_dev
