"""Files in DST that pixmill did not write: how each value of ``--existing`` treats them, and that they are counted first (O7)."""

import json
import re
import subprocess

import pytest

from support.invariants import counts, failed, finished, outputs, temporaries
from support.snapshots import lost, snapshot

FOREIGN = b"mine"
THREE_TAKEN = re.compile(r"(?im)^.*\b3\b.*\b(?:occup|exist|taken|not write|did not|not written|in the place|in the way).*$")


@pytest.fixture
def gallery(tmp_path, photos):
    """Return DST with foreign files at the names of three of the four outputs of ``photos``, and one at another name."""
    assert len(list(photos.iterdir())) == 4
    folder = tmp_path / "gallery"
    folder.mkdir()
    for name in ("p0.jpg", "p1.jpg", "p2.jpg", "album.html"):
        (folder / name).write_bytes(FOREIGN + name.encode())
    return folder


@pytest.fixture
def result(tmp_path, photos, pixmill):
    """Return the folder that a run of ``photos`` makes where nothing is in its way."""
    assert pixmill("run", photos, "expected", "--executor", "inline").returncode == 0
    return tmp_path / "expected"


def test_by_default_a_foreign_file_stays_and_its_image_fails_alone(pixmill, photos, gallery):
    before = snapshot(gallery)
    ended = pixmill("run", photos, gallery)
    assert ended.returncode == 1, ended.stderr
    assert lost(before, snapshot(gallery)) == {}
    assert {name: record.failure.code for name, record in failed(gallery).items()} == dict.fromkeys(
        ("p0.jpg", "p1.jpg", "p2.jpg"), "exists"
    )
    assert set(finished(gallery)) == {"p3.jpg"}
    assert "--existing" in ended.stderr + pixmill("failures", gallery).stdout
    assert temporaries(gallery) == []


@pytest.mark.parametrize("words", [("--on-collision", "error"), ("--force",), ("--preserve", "mtime"), ("--durability", "none")])
def test_no_other_option_allows_it(pixmill, photos, gallery, words):
    before = snapshot(gallery)
    ended = pixmill("run", photos, gallery, "--executor", "inline", *words)
    assert ended.returncode == 1, ended.stderr
    assert lost(before, snapshot(gallery)) == {}


def test_a_name_that_another_format_leads_to_is_as_foreign(pixmill, tmp_path, photos):
    """What O7 says: b.png becomes b.jpg, which is somebody's."""
    (photos / "p0.jpg").rename(photos / "p0.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "p0.jpg").write_bytes(FOREIGN)
    assert pixmill("run", photos, "out", "--executor", "inline").returncode == 1
    assert (tmp_path / "out" / "p0.jpg").read_bytes() == FOREIGN


def test_of_several_outputs_of_an_image_one_that_is_taken_fails_it_and_none_is_harmed(pixmill, tmp_path, photos):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "p0-48.webp").write_bytes(FOREIGN)
    words = ("--sizes", "16,32,48", "--formats", "webp,jpeg", "--executor", "inline")
    ended = pixmill("run", photos, "out", *words)
    assert ended.returncode == 1, ended.stderr
    assert (tmp_path / "out" / "p0-48.webp").read_bytes() == FOREIGN
    assert set(failed(tmp_path / "out")) == {"p0.jpg"}
    assert counts(tmp_path / "out").done == 3
    (tmp_path / "out" / "p0-48.webp").unlink()
    ended = pixmill("retry", "out")
    assert ended.returncode == 0, ended.stderr
    assert len(outputs(tmp_path / "out")) == 24


@pytest.mark.parametrize("kind", ["an empty file", "a folder", "a link that leads nowhere", "a pipe"])
def test_whatever_is_in_the_place_is_left_as_it_is(pixmill, tmp_path, photos, kind):
    place = tmp_path / "out" / "p0.jpg"
    place.parent.mkdir()
    if kind == "an empty file":
        place.touch()
    elif kind == "a folder":
        place.mkdir()
    elif kind == "a pipe":
        subprocess.run(["mkfifo", place], check=True)
    else:
        place.symlink_to("nowhere")
    before = place.lstat()
    ended = pixmill("run", photos, "out", "--executor", "inline")
    assert ended.returncode == 1, ended.stderr
    assert set(failed(tmp_path / "out")) == {"p0.jpg"}
    after = place.lstat()
    assert (after.st_ino, after.st_mode, after.st_size) == (before.st_ino, before.st_mode, before.st_size)
    assert not (place.parent / "nowhere").exists()
    assert "Traceback" not in ended.stderr
    assert "defect" not in ended.stderr


def test_a_file_with_the_very_bytes_of_the_result_is_adopted(pixmill, tmp_path, photos, result):
    copy = tmp_path / "out"
    copy.mkdir()
    for name in ("p0.jpg", "p1.jpg"):
        (copy / name).write_bytes((result / name).read_bytes())
    before = snapshot(copy)
    ended = pixmill("run", photos, "out")
    assert ended.returncode == 0, ended.stderr
    assert lost(before, snapshot(copy)) == {}, "a file that has the right bytes need not be touched"
    assert counts(copy).done == 4
    again = pixmill("run", photos, "out")
    assert "skipped   4 images" in again.stderr


@pytest.mark.parametrize("existing", ["fail", "skip", "refuse", "replace"])
def test_a_lost_ledger_costs_a_computation_and_no_image(pixmill, photos, result, existing):
    before = outputs(result)
    for path in (result / ".pixmill").glob("ledger*"):
        path.unlink()
    ended = pixmill("run", photos, result, "--existing", existing, "--executor", "inline")
    assert ended.returncode == (2 if existing == "refuse" else 0), ended.stderr
    assert outputs(result) == before
    if existing in ("fail", "replace"):
        assert counts(result).done == 4


def test_a_changed_source_replaces_its_own_output_without_being_asked(pixmill, tmp_path, photos):
    assert pixmill("run", photos, "out", "--executor", "inline").returncode == 0
    before = outputs(tmp_path / "out")
    (photos / "p0.jpg").write_bytes((photos / "p3.jpg").read_bytes())
    ended = pixmill("run", photos, "out", "--executor", "inline")
    assert ended.returncode == 0, ended.stderr
    assert {name for name, data in outputs(tmp_path / "out").items() if data != before[name]} == {"p0.jpg"}


def test_another_recipe_replaces_what_pixmill_wrote_without_being_asked(pixmill, tmp_path, photos):
    assert pixmill("run", photos, "out", "--executor", "inline").returncode == 0
    ended = pixmill("run", photos, "out", "--quality", "20", "--existing", "refuse", "--executor", "inline")
    assert ended.returncode == 0, ended.stderr
    assert counts(tmp_path / "out").done == 4


def test_an_output_that_was_deleted_is_made_again(pixmill, tmp_path, photos):
    assert pixmill("run", photos, "out", "--executor", "inline").returncode == 0
    place = tmp_path / "out" / "p0.jpg"
    place.unlink()
    ended = pixmill("run", photos, "out", "--executor", "inline")
    assert ended.returncode == 0, ended.stderr
    assert place.exists()


def test_skip_leaves_the_file_and_counts_the_image_as_skipped(pixmill, photos, gallery):
    before = snapshot(gallery)
    ended = pixmill("run", photos, gallery, "--existing", "skip", "--json", "--progress", "none")
    assert ended.returncode == 0, ended.stderr
    assert lost(before, snapshot(gallery)) == {}
    report = json.loads(ended.stdout.splitlines()[-1])
    assert report["counts"] == {"found": 4, "done": 1, "skipped": 3, "failed": 0, "pending": 0}
    again = pixmill("run", photos, gallery, "--existing", "skip", "--json", "--progress", "none")
    assert json.loads(again.stdout.splitlines()[-1])["counts"]["skipped"] == 4


def test_an_image_that_was_skipped_is_made_once_its_name_is_free(pixmill, photos, gallery):
    pixmill("run", photos, gallery, "--existing", "skip", "--executor", "inline")
    (gallery / "p0.jpg").unlink()
    ended = pixmill("run", photos, gallery, "--existing", "skip", "--executor", "inline")
    assert ended.returncode == 0, ended.stderr
    assert set(finished(gallery)) == {"p0.jpg", "p3.jpg"}


def test_replace_replaces_what_is_in_the_place_and_nothing_else(pixmill, photos, gallery, result):
    ended = pixmill("run", photos, gallery, "--existing", "replace")
    assert ended.returncode == 0, ended.stderr
    assert outputs(gallery) == outputs(result) | {"album.html": FOREIGN + b"album.html"}


def test_an_image_that_failed_of_a_file_in_its_place_is_made_when_replacing_is_asked_for(pixmill, photos, gallery, result):
    assert pixmill("run", photos, gallery, "--executor", "inline").returncode == 1
    ended = pixmill("run", photos, gallery, "--existing", "replace", "--executor", "inline")
    assert ended.returncode == 0, ended.stderr
    assert outputs(gallery) == outputs(result) | {"album.html": FOREIGN + b"album.html"}


def test_replace_breaks_a_hard_link_and_leaves_the_other_name_of_the_file(pixmill, photos, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "p0.jpg").hardlink_to(photos / "p1.jpg")
    (tmp_path / "out" / "p1.jpg").hardlink_to(photos / "p1.jpg")
    before = snapshot(photos)
    ended = pixmill("run", photos, "out", "--existing", "replace", "--executor", "inline")
    assert ended.returncode in (0, 1), ended.stderr
    assert lost(before, snapshot(photos)) == {}


def test_by_default_a_hard_link_to_the_source_itself_stays(pixmill, photos, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "p0.jpg").hardlink_to(photos / "p0.jpg")
    before = snapshot(photos)
    ended = pixmill("run", photos, "out", "--executor", "inline")
    assert ended.returncode == 1, ended.stderr
    assert lost(before, snapshot(photos)) == {}
    assert (tmp_path / "out" / "p0.jpg").samefile(photos / "p0.jpg")


def test_refuse_names_them_and_writes_nothing(pixmill, photos, gallery):
    before = snapshot(gallery)
    ended = pixmill("run", photos, gallery, "--existing", "refuse")
    assert ended.returncode == 2, ended.stderr
    assert "p0.jpg" in ended.stderr
    assert "3" in ended.stderr
    assert "album.html" not in ended.stderr, "it is in nobody's way"
    assert snapshot(gallery) == before


def test_refuse_lets_a_run_pass_that_meets_nobody(pixmill, photos, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "album.html").write_bytes(FOREIGN)
    for _ in range(2):
        ended = pixmill("run", photos, "out", "--existing", "refuse", "--executor", "inline")
        assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("existing", ["fail", "skip", "replace"])
def test_plan_and_the_first_words_of_a_run_count_the_names_that_are_taken(pixmill, photos, gallery, existing):
    before = snapshot(gallery)
    planned = pixmill("plan", photos, gallery, "--existing", existing)
    assert planned.returncode == 0, planned.stderr
    assert THREE_TAKEN.search(planned.stdout), planned.stdout
    assert snapshot(gallery) == before
    ended = pixmill("run", photos, gallery, "--existing", existing, "--progress", "plain")
    said = THREE_TAKEN.search(ended.stderr)
    assert said, ended.stderr
    assert said.start() < ended.stderr.index("[DONE]"), "a warning is for before"


def test_nothing_is_said_of_names_that_are_free(pixmill, photos, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "album.html").write_bytes(FOREIGN)
    taken = re.compile(r"(?i)occupied|did not write|--existing")
    assert not taken.search(pixmill("plan", photos, "out").stdout)
    assert not taken.search(pixmill("run", photos, "out", "--executor", "inline").stderr)
    assert not taken.search(pixmill("plan", photos, "out").stdout)
    assert not taken.search(pixmill("run", photos, "out", "--executor", "inline").stderr)


def test_the_plan_for_machines_has_the_number(pixmill, photos, gallery):
    planned = pixmill("plan", photos, gallery, "--json")
    assert 3 in json.loads(planned.stdout).values()


def test_many_foreign_files_are_counted_and_refused_quickly(pixmill, photos, tmp_path):
    folder = tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    for number in range(5000):
        (folder / "deep" / f"{number}.jpg").touch()
    for number in range(3):
        (folder / f"p{number}.jpg").write_bytes(FOREIGN)
    planned = pixmill("plan", photos, folder)
    assert THREE_TAKEN.search(planned.stdout), planned.stdout
    ended = pixmill("run", photos, folder, "--existing", "refuse")
    assert ended.returncode == 2, ended.stderr
    assert len(ended.stderr.splitlines()) < 20, "5,000 files that are in nobody's way are not listed"


def test_hundreds_of_occupied_names_are_counted_and_not_all_listed(pixmill, photos, tmp_path):
    (tmp_path / "out").mkdir()
    data = (photos / "p0.jpg").read_bytes()
    for number in range(300):
        (photos / f"q{number}.jpg").write_bytes(data)
        (tmp_path / "out" / f"q{number}.jpg").write_bytes(FOREIGN)
    ended = pixmill("run", photos, "out", "--existing", "refuse")
    assert ended.returncode == 2, ended.stderr
    assert "300" in ended.stderr
    assert len(ended.stderr.splitlines()) < 40
    assert not list((tmp_path / "out").glob("p*"))
