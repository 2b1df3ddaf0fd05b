"""What lies at the name of an output: outputs that were changed by hand, foreign files that stay, and files that are adopted."""

import json
import os
import shutil
from io import BytesIO

import msgspec
import pytest
from PIL import Image

from pixmill.batch.item import unpack
from pixmill.engine.ledgers.sqlite import SqliteLedger
from support.invariants import counts, failed, identities, outputs, records
from support.snapshots import lost, snapshot

EDIT = b"edited by hand"
pytestmark = pytest.mark.usefixtures("photos")


@pytest.fixture
def out(tmp_path, photos, run):
    """Return DST after a run of ``photos``."""
    assert len(list(photos.iterdir())) == 4
    assert run().returncode == 0
    return tmp_path / "out"


@pytest.fixture
def run(pixmill):
    return lambda *words: pixmill("run", "photos", "out", "--executor", "inline", *words)


def report(ended):
    return json.loads(ended.stdout.splitlines()[-1])


def picture(size=(64, 48), kind="JPEG"):
    buffer = BytesIO()
    Image.new("RGB", size, (9, 200, 9)).save(buffer, kind)
    return buffer.getvalue()


def edit_in_place(path):
    """Change one byte of a file; its size, time and inode stay."""
    status, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace_by_link(path):
    shutil.move(path, path.with_name("elsewhere.jpg"))
    path.with_name("elsewhere.jpg").write_bytes(EDIT)
    path.symlink_to("elsewhere.jpg")


def replace_by_dangling_link(path):
    path.unlink()
    path.symlink_to("nowhere.jpg")


def replace_by_folder(path):
    path.unlink()
    path.mkdir()


def same_size(path):
    path.write_bytes(bytes(path.stat().st_size))


def same_size_and_time(path):
    """Replace a file by another with its size and time, as ``exiftool -P -overwrite_original`` does."""
    status = path.stat()
    path.with_name("new").write_bytes(bytes(status.st_size))
    os.utime(path.with_name("new"), ns=(status.st_atime_ns, status.st_mtime_ns))
    path.with_name("new").rename(path)


CHANGES = [lambda path: path.write_bytes(EDIT), same_size, same_size_and_time, replace_by_link, replace_by_dangling_link,
           replace_by_folder]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=["size", "time", "inode", "link", "dangling link", "folder"])
def test_an_output_that_was_changed_is_left_alone_and_counted(out, run, change):
    change(out / "p1.jpg")
    before = snapshot(out)
    for _ in range(2):
        ended = run("--json")
        assert ended.returncode == 0, ended.stderr
        assert lost(before, snapshot(out)) == {}
        assert report(ended)["counts"] == {"found": 4, "done": 0, "skipped": 4, "failed": 0, "pending": 0}
        assert report(ended)["left_alone"] == {"output-changed": 1}
        assert report(ended)["left_alone_keys"] == {"output-changed": ["p1.jpg"]}
    assert counts(out).done == 4


def test_the_summary_names_what_was_changed_and_what_to_do(out, run, pixmill):
    for name in ("p1.jpg", "p2.jpg"):
        (out / name).write_bytes(EDIT)
    said = run().stderr
    assert "2 images: an output was changed since pixmill wrote it" in said
    assert "(p1.jpg, p2.jpg)" in said
    assert "pixmill verify --repair out" in said
    assert "would overwrite" not in said
    planned = pixmill("plan", "photos", "out")
    assert "output changed 2 images" in planned.stdout
    assert "p1.jpg, p2.jpg" in planned.stdout
    plan = json.loads(pixmill("plan", "photos", "out", "--json").stdout)
    assert (plan["found"], plan["unchanged"], plan["output_changed"], plan["to_do"]) == (4, 2, 2, 0)
    status = pixmill("status", "out")
    assert "2 images have outputs that were changed" in status.stdout
    assert json.loads(pixmill("status", "out", "--json").stdout)["output_changed"] == 2
    assert pixmill("report", "out").returncode == 0
    assert "2 images have outputs that were changed since" in (out / ".pixmill" / "report.html").read_text()
    assert pixmill("verify", "out", "--repair").returncode == 0
    assert json.loads(pixmill("status", "out", "--json").stdout)["output_changed"] == 0


@pytest.mark.parametrize("how", ["touched", "copied", "copied with times"])
def test_a_copy_or_a_new_time_is_no_change(out, run, how, tmp_path):
    expected = outputs(out)
    for path in out.glob("*.jpg"):
        if how == "touched":
            path.touch()
        else:
            copy = shutil.copy2 if how == "copied with times" else shutil.copy
            copy(path, tmp_path / "copy")
            (tmp_path / "copy").rename(path)
    ended = run("--json")
    assert report(ended)["left_alone"] == {}
    assert report(ended)["counts"]["skipped"] == 4
    assert outputs(out) == expected
    for record in records(out):  # so that the next run need not read them again
        (output,) = unpacked(record).outputs
        status = (out / os.fsdecode(output.name)).stat()
        assert (output.mtime_ns, output.inode) == (status.st_mtime_ns, status.st_ino)


def unpacked(record):
    return unpack(record.result)


def test_what_is_missing_or_empty_is_made_again(out, run):
    expected = outputs(out)
    (out / "p1.jpg").unlink()
    (out / "p2.jpg").write_bytes(b"")
    ended = run("--json")
    assert (ended.returncode, report(ended)["counts"]["done"]) == (0, 2)
    assert outputs(out) == expected


@pytest.mark.parametrize("change", CHANGES[:3], ids=["size", "time", "inode"])
def test_something_new_to_write_does_not_replace_what_was_changed(out, run, change):
    change(out / "p1.jpg")
    before = identities(out)["p1.jpg"]
    ended = run("--quality", "30", "--json")
    assert (ended.returncode, report(ended)["counts"]["failed"], report(ended)["counts"]["done"]) == (1, 1, 3)
    assert failed(out)["p1.jpg"].failure.code == "exists"
    assert "changed since pixmill wrote it" in failed(out)["p1.jpg"].failure.message
    assert identities(out)["p1.jpg"] == before
    ended = run("--quality", "30", "--existing", "replace")
    assert ended.returncode == 0, ended.stderr
    with Image.open(out / "p1.jpg") as image:
        image.load()


def test_a_changed_source_does_not_replace_a_changed_output(out, run, photos):
    (out / "p1.jpg").write_bytes(EDIT)
    (photos / "p1.jpg").write_bytes(picture())
    assert run().returncode == 1
    assert (out / "p1.jpg").read_bytes() == EDIT


def test_force_does_not_replace_what_was_changed(out, run):
    (out / "p1.jpg").write_bytes(EDIT)
    assert run("--force").returncode == 1
    assert (out / "p1.jpg").read_bytes() == EDIT


def test_existing_replace_makes_changed_outputs_again_and_only_those(out, run):
    expected, before = outputs(out), identities(out)
    (out / "p1.jpg").write_bytes(EDIT)
    ended = run("--existing", "replace", "--json")
    assert (ended.returncode, report(ended)["counts"]["done"]) == (0, 1)
    assert outputs(out) == expected
    assert {name for name, found in identities(out).items() if found != before[name]} == {"p1.jpg"}


def test_of_several_outputs_the_missing_one_is_made_and_the_changed_one_stays(run, tmp_path):
    words = ("--sizes", "16,32", "--json")
    assert run(*words).returncode == 0
    out = tmp_path / "out"
    expected = outputs(out)
    (out / "p1-16.jpg").write_bytes(EDIT)
    (out / "p1-32.jpg").unlink()
    ended = run(*words)
    assert (ended.returncode, report(ended)["counts"]["done"]) == (0, 1)
    assert outputs(out) == expected | {"p1-16.jpg": EDIT}
    assert report(run(*words))["left_alone"] == {"output-changed": 1}


def test_one_occupied_name_writes_none_of_an_image_s_outputs(out, run):
    (out / "p1.jpg").write_bytes(EDIT)
    assert run("--sizes", "16,32").returncode == 0
    (out / "p2-16.webp").write_bytes(EDIT)
    before = outputs(out)
    ended = run("--sizes", "16,32", "--formats", "jpeg,webp", "--json")
    assert report(ended)["counts"]["failed"] == 1
    assert {name for name in outputs(out).keys() - before.keys() if name.startswith("p2")} == set()


def test_a_row_without_versions_is_judged_by_size(out, run):
    forget_versions(out)
    before = identities(out)
    assert report(run("--json"))["counts"]["skipped"] == 4
    (out / "p1.jpg").write_bytes(EDIT)
    assert report(run("--json"))["left_alone"] == {"output-changed": 1}
    same_size(out / "p2.jpg")
    ended = run("--quality", "30", "--json")  # where something is written, the content decides
    assert report(ended)["counts"]["failed"] == 2
    assert (out / "p1.jpg").read_bytes() == EDIT
    assert {name for name, found in identities(out).items() if found != before[name]} == {"p0.jpg", "p1.jpg", "p2.jpg", "p3.jpg"}


def forget_versions(out):
    """Write the rows of the ledger as earlier versions did: without the versions of the outputs."""
    ledger = SqliteLedger(out / ".pixmill" / "ledger.sqlite")
    rows = []
    for record in ledger.records():
        result = msgspec.msgpack.decode(record.result)
        result[0] = [output[:8] for output in result[0]]
        rows.append(msgspec.structs.replace(record, result=msgspec.msgpack.encode(result)))
    ledger.import_records(rows)
    ledger.close()


# foreign files


def attempts(tmp_path):
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    return sum(json.loads(line)["event"] == "attempt_started" for line in lines)


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


# --existing adopt


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


# verify --repair


def test_repair_makes_again_what_differs_and_nothing_else(out, photos, pixmill):
    expected, before = outputs(out), identities(out)
    (out / "p0.jpg").unlink()
    (out / "p1.jpg").write_bytes(EDIT)
    edit_in_place(out / "p2.jpg")
    (photos / "new.jpg").write_bytes(picture())
    ended = pixmill("verify", "out", "--repair", "--progress", "none")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["p0.jpg: missing", "p1.jpg: size differs", "p2.jpg: content differs"]
    assert "making the outputs of 3 images again" in ended.stderr
    assert "done      3 images" in ended.stderr
    assert outputs(out) == expected
    assert identities(out)["p3.jpg"] == before["p3.jpg"]
    assert pixmill("verify", "out").returncode == 0


def test_repair_keeps_the_sound_outputs_of_an_image(run, tmp_path, pixmill):
    assert run("--sizes", "16,32").returncode == 0
    out = tmp_path / "out"
    expected, before = outputs(out), identities(out)
    edit_in_place(out / "p1-16.jpg")
    assert pixmill("verify", "out", "--repair").returncode == 0
    assert outputs(out) == expected
    assert identities(out)["p1-32.jpg"] == before["p1-32.jpg"]


def test_repair_makes_the_outputs_of_several_sources_again(out, photos, pixmill, tmp_path):
    shutil.copytree(photos, tmp_path / "others")
    assert pixmill("run", "others", "out", "--executor", "inline", "--size", "20x20").returncode == 0
    expected = outputs(out)
    assert len(expected) == 8
    for path in out.glob("*.jpg"):
        path.write_bytes(EDIT)
    ended = pixmill("verify", "out", "--repair")
    assert ended.returncode == 0, ended.stderr
    assert outputs(out) == expected


def test_repair_says_which_sources_are_gone(out, photos, pixmill):
    expected = outputs(out)
    for name in ("p0.jpg", "p1.jpg"):
        (out / name).write_bytes(EDIT)
    (photos / "p0.jpg").unlink()
    ended = pixmill("verify", "out", "--repair")
    assert ended.returncode == 1
    assert "1 image cannot be made again, because the source is gone: p0.jpg" in ended.stderr
    assert outputs(out) == expected | {"p0.jpg": EDIT}


def test_repair_with_nothing_to_do_or_no_source_says_so(out, photos, pixmill):
    before = identities(out)
    assert pixmill("verify", "out", "--repair").returncode == 0
    assert identities(out) == before
    (out / "p0.jpg").unlink()
    photos.rename(photos.with_name("gone"))
    ended = pixmill("verify", "out", "--repair")
    assert ended.returncode == 2
    assert "does not exist" in ended.stderr


def test_a_repair_is_not_the_configuration_of_later_runs(out, pixmill):
    (out / "p0.jpg").write_bytes(EDIT)
    assert pixmill("verify", "out", "--repair").returncode == 0
    (out / "p0.jpg").write_bytes(EDIT)
    assert pixmill("retry", "out").returncode == 0
    assert (out / "p0.jpg").read_bytes() == EDIT
