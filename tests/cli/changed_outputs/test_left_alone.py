"""Outputs that were changed since a run wrote them: a re-run says so and leaves them alone, and makes what is missing."""

import json
import os
import shutil

import msgspec
import pytest

from pixmill.engine.ledgers.sqlite import SqliteLedger
from support.changed_outputs import CHANGES, EDIT, report, same_size, unpacked
from support.invariants import counts, identities, outputs, records
from support.snapshots import lost, snapshot


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
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


def test_what_is_missing_or_empty_is_made_again(out, run):
    expected = outputs(out)
    (out / "p1.jpg").unlink()
    (out / "p2.jpg").write_bytes(b"")
    ended = run("--json")
    assert (ended.returncode, report(ended)["counts"]["done"]) == (0, 2)
    assert outputs(out) == expected


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
