"""Foreign files at the names of outputs: tried again only when something changed, or taken over by ``--existing adopt``."""

import os
import shutil

import pytest

from support.changed_outputs import EDIT, attempts, picture, report, unpacked
from support.invariants import failed, identities, records


def test_occupied_names_are_tried_again_only_when_something_changed(tmp_path, photos, run):
    data, out = (photos / "p0.jpg").read_bytes(), tmp_path / "out"
    out.mkdir()
    for number in range(1000):
        (photos / f"q{number}.jpg").write_bytes(data)
        (out / f"q{number}.jpg").write_bytes(EDIT)
    words = ("--json", "--durability", "none", "--events", "events.jsonl")
    assert report(run(*words))["failures"]["exists"]["count"] == 1000
    assert attempts(tmp_path) == 1004
    again = run(*words)
    assert (again.returncode, report(again)["failures"]["exists"]["count"], report(again)["remembered"]) == (1, 1000, 1000)
    assert attempts(tmp_path) == 0
    (out / "q5.jpg").unlink()
    (out / "q6.jpg").write_bytes(b"somebody else's")
    (photos / "q7.jpg").write_bytes(picture())
    again = run(*words)
    assert (report(again)["failures"]["exists"]["count"], report(again)["counts"]["done"]) == (999, 1)
    assert attempts(tmp_path) == 3
    assert run(*words).returncode == 1
    assert attempts(tmp_path) == 0
    assert {record.attempts for record in failed(out).values()} == {1}


def test_an_occupant_that_was_only_touched_is_looked_at_again(tmp_path, run):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "p0.jpg").write_bytes(EDIT)
    words = ("--json", "--events", "events.jsonl")
    run(*words)
    os.utime(tmp_path / "out" / "p0.jpg", ns=(1, 1))
    assert run(*words).returncode == 1
    assert attempts(tmp_path) == 1


def test_the_very_bytes_are_adopted_and_belong_to_pixmill_from_then_on(out, run):
    shutil.rmtree(out / ".pixmill")
    before = identities(out)
    ended = run("--json")
    assert (ended.returncode, report(ended)["counts"]["done"]) == (0, 4)
    assert identities(out) == before
    ended = run("--quality", "30", "--json")
    assert (ended.returncode, report(ended)["counts"]["done"]) == (0, 4)


@pytest.mark.parametrize(
    ("name", "content", "is_adopted"),
    [
        ("p0.jpg", picture(), True),
        ("p0.jpg", picture((63, 48)), True),
        ("p0.jpg", picture((64, 40)), False),
        ("p0.jpg", picture(kind="PNG"), False),
        ("p0.jpg", picture()[:-300], False),
        ("p0.jpg", EDIT, False),
        ("p0.jpg", b"", False),
    ],
    ids=["a picture", "one pixel less", "another size", "another format", "cut off", "text", "empty"],
)
def test_adopt_takes_complete_files_of_the_expected_format_and_size(tmp_path, run, name, content, is_adopted):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_bytes(content)
    before = identities(out)
    ended = run("--existing", "adopt", "--json")
    assert (ended.returncode, report(ended)["counts"]["done"]) == ((0, 4) if is_adopted else (1, 3))
    assert identities(out).items() >= before.items()
    assert report(ended)["notes"] == ({"adopted": 1} if is_adopted else {})
    again = run("--existing", "adopt", "--json", "--events", "events.jsonl")
    assert attempts(tmp_path) == 0
    assert report(again)["counts"]["skipped"] == 3 + is_adopted
    if is_adopted:
        (record,) = [record for record in records(out) if record.key == b"p0.jpg"]
        assert [output.is_adopted for output in unpacked(record).outputs] == [True]
        assert report(run("--json"))["counts"]["skipped"] == 4


def test_what_failed_is_adopted_when_that_is_asked_for(tmp_path, run):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "p0.jpg").write_bytes(picture())
    assert run().returncode == 1
    assert run("--existing", "adopt").returncode == 0
    assert (tmp_path / "out" / "p0.jpg").read_bytes() == picture()


def test_adopt_makes_what_is_missing(tmp_path, run):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "p0-16.jpg").write_bytes(picture((16, 12)))
    ended = run("--sizes", "16,32", "--existing", "adopt", "--json")
    assert (ended.returncode, report(ended)["outputs"], report(ended)["notes"]) == (0, 7, {"adopted": 1})
    assert (tmp_path / "out" / "p0-16.jpg").read_bytes() == picture((16, 12))


def test_a_link_to_the_source_is_not_adopted(tmp_path, photos, run):
    (tmp_path / "out").mkdir()
    os.link(photos / "p0.jpg", tmp_path / "out" / "p0.jpg")
    assert run("--existing", "adopt").returncode == 1
