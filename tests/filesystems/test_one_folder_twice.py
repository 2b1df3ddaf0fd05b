"""SRC and DST that are one folder under two names, or lie in one another: seen whatever the file system calls them (O1, O3)."""

import zipfile

import pytest

from support.invariants import outputs
from support.snapshots import snapshot

WAYS = pytest.mark.parametrize("words", [(), ("--existing", "replace"), ("--format", "keep", "--existing", "skip")], ids=" ".join)


def refused(told, *names):
    """Hold an answer to what a refusal is: nothing has run, and it says which two names are one."""
    assert told.code == 2, (told.stdout, told.stderr)
    assert [name for name in names if str(name) not in told.stderr] == []
    assert "Traceback" not in told.stderr


def does_nothing_again(pixmill, source, destination, *, count):
    """Hold a run and another one to this: all is done by the first, and the second finds the same and does nothing."""
    first = pixmill("run", source, destination)
    assert first.code == 0, first.stderr
    made = snapshot(destination, inodes=False)
    assert len(made) == count
    again = pixmill("run", source, destination)
    assert again.code == 0, again.stderr
    assert f"skipped   {count} images" in again.stderr
    assert snapshot(destination, inodes=False) == made


@WAYS
def test_names_that_differ_in_case_alone_are_one_folder_where_case_is_ignored(caseless, pixmill, photos, untouched, words):
    photos(caseless.root / "Photos")
    untouched(caseless.root, inodes=caseless.inodes)
    refused(pixmill("run", "Photos", "photos", *words, cwd=caseless.root), "Photos", "photos")
    there = sorted(path.lower() for path in snapshot(caseless.root))  # some of them list every name in small letters
    assert there == [b"photos/a.jpg", b"photos/b.jpg", b"photos/sub/c.jpg"]


def test_a_source_inside_of_the_destination_is_seen_where_case_is_ignored(caseless, pixmill, photos, untouched):
    photos(caseless.root / "Albums" / "2026")
    untouched(caseless.root, inodes=caseless.inodes)
    refused(pixmill("run", "Albums/2026", "ALBUMS", cwd=caseless.root), "Albums/2026", "ALBUMS")


def test_a_destination_inside_of_the_source_is_no_input_where_case_is_ignored(caseless, pixmill, photos, untouched):
    photos(caseless.root / "Photos")
    untouched(caseless.root / "Photos", ignoring=["small"], inodes=caseless.inodes)
    does_nothing_again(pixmill, caseless.root / "Photos", caseless.root / "PHOTOS" / "small", count=3)


def test_a_state_folder_in_capitals_is_the_state_folder_where_case_is_ignored(caseless, pixmill, draw, untouched):
    source = caseless.root / "in"
    draw(source / "a.jpg")
    draw(source / ".PIXMILL" / "ledger.jpg")
    untouched(source, inodes=caseless.inodes)
    told = pixmill("run", source, caseless.root / "out", "--include", "**")
    assert told.code in (0, 1), told.stderr
    assert "ledger.jpg" not in {path.name for path in (caseless.root / "out" / ".pixmill").iterdir()}


@pytest.fixture
def twice(mounts, photos, tmp_path, untouched):
    """Return a folder of pictures, and the place where it is mounted a second time."""
    source = photos(tmp_path / "src")
    untouched(source)
    return source, mounts.bind(source, tmp_path / "bm")


@WAYS
def test_a_folder_that_is_mounted_twice_is_one_folder(twice, pixmill, words):
    source, mounted = twice
    refused(pixmill("run", source, mounted, *words), source, mounted)
    refused(pixmill("run", mounted, source, *words), source, mounted)
    refused(pixmill("plan", source, mounted, *words), source, mounted)
    assert len(snapshot(source)) == 3


def test_a_part_of_the_destination_is_no_source_under_its_other_name(twice, pixmill):
    source, mounted = twice
    refused(pixmill("run", source / "sub", mounted), source / "sub", mounted)
    refused(pixmill("run", mounted / "sub", source), mounted / "sub", source)


def test_a_link_to_a_mount_is_the_folder_that_is_mounted(twice, pixmill, tmp_path):
    source, mounted = twice
    (tmp_path / "link").symlink_to(mounted)
    refused(pixmill("run", source, tmp_path / "link"), source, tmp_path / "link")
    refused(pixmill("run", tmp_path / "link", source), source, tmp_path / "link")


def test_a_destination_inside_of_the_source_is_no_input_under_its_other_name(mounts, pixmill, photos, tmp_path, untouched):
    source = photos(tmp_path / "src")
    untouched(source, ignoring=["out"])
    does_nothing_again(pixmill, source, mounts.bind(source, tmp_path / "bm") / "out", count=3)


def test_a_destination_that_is_mounted_below_the_source_is_no_input(mounts, pixmill, photos, tmp_path, untouched):
    source, destination = photos(tmp_path / "src"), tmp_path / "out"
    destination.mkdir()
    mounts.bind(destination, source / "results")
    untouched(source, ignoring=["results"])
    does_nothing_again(pixmill, source, destination, count=3)


@pytest.fixture(params=["all of it", "a part of it"])
def contained(request, mounts, draw, photos, tmp_path, untouched):
    """Return SRC and DST where SRC, or a part of it, is mounted below DST at a place that outputs go to."""
    source, destination = photos(tmp_path / "src"), tmp_path / "out"
    for name in ("a.jpg", "b.jpg", "c.jpg", "new.jpg", "sub/c.jpg"):
        draw(source / "into" / name, 200)
    destination.mkdir()
    mounts.bind(source if request.param == "all of it" else source / "sub", destination / "into")
    untouched(source)
    return source, destination


@pytest.mark.parametrize(("existing", "codes"), [("fail", (1, 2)), ("replace", (0, 1, 2)), ("skip", (0, 1, 2))])
def test_a_source_that_is_mounted_below_the_destination_is_never_written_over(contained, pixmill, existing, codes):
    told = pixmill("run", *contained, "--existing", existing)
    assert told.code in codes, told.stderr


@pytest.mark.parametrize("existing", ["fail", "replace"])
def test_one_image_is_not_written_over_through_another_name_of_its_folder(twice, pixmill, existing):
    source, mounted = twice
    told = pixmill("run", source / "a.jpg", mounted, "--existing", existing)
    assert told.code in (1, 2), told.stderr
    told = pixmill("run", source / "a.jpg", mounted / "a.jpg", "--existing", existing)
    assert told.code in (1, 2), told.stderr


@pytest.mark.parametrize("existing", ["fail", "replace"])
def test_what_a_list_names_is_not_written_over_through_another_name_of_its_folder(twice, pixmill, existing):
    source, mounted = twice
    (source / "list.txt").write_text("a.jpg\nsub/c.jpg\n")
    told = pixmill("run", source / "list.txt", mounted, "--existing", existing)
    assert told.code in (1, 2), told.stderr
    assert (source / "list.txt").read_text() == "a.jpg\nsub/c.jpg\n"


@pytest.mark.parametrize("existing", ["fail", "replace"])
def test_an_archive_is_not_written_over_by_a_member_of_its_name(twice, pixmill, existing):
    source, mounted = twice
    archive = source / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(source / "a.jpg", "photos.zip")
    before = archive.read_bytes()
    told = pixmill("run", archive, mounted, "--all-files", "--name", "{dir}/{name}", "--existing", existing)
    assert told.code in (1, 2), told.stderr
    assert archive.read_bytes() == before


@WAYS
def test_the_layer_that_an_overlay_writes_to_is_the_overlay(mounts, pixmill, photos, tmp_path, untouched, words):
    lower, upper = photos(tmp_path / "lower"), tmp_path / "upper"
    union = mounts.overlay(lower, upper, tmp_path / "union")
    photos(union / "mine")
    untouched(lower, upper, inodes=False)
    union_before = snapshot(union, inodes=False)
    refused(pixmill("run", union, upper, *words), union, upper)
    refused(pixmill("run", upper, union, *words), union, upper)
    assert snapshot(union, inodes=False) == union_before


def test_the_lower_layer_of_an_overlay_is_never_changed_by_writing_to_the_overlay(mounts, pixmill, photos, tmp_path, untouched):
    lower = photos(tmp_path / "lower")
    union = mounts.overlay(lower, tmp_path / "upper", tmp_path / "union")
    untouched(lower)
    before = outputs(union)
    told = pixmill("run", lower, union)
    assert told.code in (1, 2), told.stderr
    assert outputs(union) == before
    told = pixmill("run", lower, union, "--existing", "replace")
    assert told.code in (0, 1, 2), told.stderr


def test_a_folder_in_an_overlay_is_no_input_under_the_name_of_its_layer(mounts, pixmill, photos, tmp_path, untouched):
    lower, upper = photos(tmp_path / "lower"), tmp_path / "upper"
    union = mounts.overlay(lower, upper, tmp_path / "union")
    untouched(union, ignoring=["out"], inodes=False)
    does_nothing_again(pixmill, union, upper / "out", count=3)


def test_an_output_is_known_by_its_identity_where_it_is_mounted_in_another_way(mounts, pixmill, photos, draw, tmp_path, untouched):
    """A second overlay has inodes of its own: only the file that names the output tells that both are one folder."""
    source, destination = photos(tmp_path / "src"), tmp_path / "out"
    assert pixmill("run", source, destination).code == 0
    union = mounts.overlay(destination, tmp_path / "upper", tmp_path / "union")
    draw(union / "late.jpg")
    untouched(destination)
    refused(pixmill("run", union, destination), union, destination)
    refused(pixmill("run", union / "sub", destination), union / "sub", destination)


def test_a_folder_with_a_copy_of_the_identity_is_no_input(pixmill, photos, tmp_path):
    source, destination = photos(tmp_path / "src"), tmp_path / "out"
    assert pixmill("run", source, destination).code == 0
    copy = photos(source / "backup")
    (copy / ".pixmill").mkdir()
    (copy / ".pixmill" / "output-id").write_bytes((destination / ".pixmill" / "output-id").read_bytes())
    told = pixmill("run", source, destination)
    assert told.code in (0, 2), told.stderr
    assert not (destination / "backup").exists()
    assert len((destination / ".pixmill" / "output-id").read_text().strip()) == 32
