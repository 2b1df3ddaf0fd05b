import json
import os
import socket
import sys
from pathlib import Path

import pytest

from pixmill.core.name_text import name_bytes


def summary_of(result):
    """The labelled lines of a summary: {"found": "4 images", ...}."""
    labelled = (line.split(maxsplit=1) for line in result.stderr.splitlines() if line[:1].isalpha())
    return {words[0]: words[1] for words in labelled if len(words) == 2}


def test_a_run_makes_every_image_and_says_what_it_did(pixmill, photos, sizes_in):
    result = pixmill("run", photos, "out", "--size", "32x32", "--format", "png")
    assert (result.returncode, result.stdout) == (0, "")
    assert sizes_in("out") == {f"p{number}.png": (32, 24) for number in range(4)}
    said = summary_of(result)
    assert said["found"] == "4 images"
    assert said["done"].startswith("4 images, ")
    assert "img/s" in said["time"]
    assert "failed" not in said


def test_a_second_run_has_nothing_to_do_and_says_so(pixmill, photos):
    pixmill("run", photos, "out")
    result = pixmill("run", photos, "out")
    assert result.returncode == 0
    assert summary_of(result)["skipped"] == "4 images, already done and unchanged"
    assert summary_of(result)["done"] == "0 images"


def test_failures_are_listed_by_code_with_three_names_and_the_way_on(pixmill, photos):
    for name in ("b1.jpg", "b2.jpg", "b3.jpg", "b4.jpg"):
        (photos / name).write_bytes(b"no picture")
    (photos / "notes.txt").write_text("ignored")
    result = pixmill("run", photos, "out dir", "--workers", "1")
    assert result.returncode == 1
    assert summary_of(result)["failed"] == "4 images"
    assert summary_of(result)["ignored"] == "not-an-image: 1"
    assert "not-an-image: 4 (b1.jpg, b2.jpg, b3.jpg, ...)" in result.stderr
    assert "pixmill failures 'out dir'" in result.stderr
    assert "pixmill retry 'out dir'" in result.stderr


def test_quiet_says_nothing_when_all_is_well(pixmill, photos):
    result = pixmill("run", photos, "out", "--quiet")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_json_is_one_event_a_line_and_the_report_at_the_end(pixmill, photos):
    (photos / "bad.jpg").write_bytes(b"no picture")
    result = pixmill("run", photos, "out", "--json", "--progress", "none")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    finished = [event for event in events if event["event"] == "task_finished"]
    assert sorted(event["key"] for event in finished) == ["bad.jpg", "p0.jpg", "p1.jpg", "p2.jpg", "p3.jpg"]
    report = events[-1]
    assert report["event"] == "report"
    assert report["counts"] == {"found": 5, "done": 4, "skipped": 0, "failed": 1, "pending": 0}
    assert (report["exit_code"], result.returncode) == (1, 1)
    assert report["bytes_saved"] == report["bytes_in"] - report["bytes_out"]


def test_a_dry_run_is_the_plan_and_writes_nothing(pixmill, photos, tmp_path):
    rehearsed = pixmill("run", photos, "out", "--dry-run", "--format", "webp")
    planned = pixmill("plan", photos, "out", "--format", "webp")
    assert rehearsed.returncode == 0
    assert "p0.jpg -> p0.webp" in rehearsed.stdout
    assert rehearsed.stdout == planned.stdout
    assert not (tmp_path / "out").exists()


HOSTILE = [
    b"\x1b[31mred.jpg",
    b"new\nline.jpg",
    b"latin-\xe9.jpg",
    b"-rf.jpg",
    b" space .jpg",
    "\u202egnp.jpg".encode(),
    b"%s$(x).jpg",
]


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take UTF-8 only")
def test_names_that_could_act_on_a_terminal_are_shown_as_text_and_processed_whole(pixmill, photos, tmp_path):
    picture = (photos / "p0.jpg").read_bytes()
    for name in HOSTILE:
        (tmp_path / "hostile").mkdir(exist_ok=True)
        Path(os.fsdecode(os.fsencode(tmp_path / "hostile") + b"/" + name)).write_bytes(picture)
    Path(os.fsdecode(os.fsencode(tmp_path / "hostile") + b"/\x1b[2Jbad.jpg")).write_bytes(b"")
    result = pixmill("run", "hostile", "out", "--json", "--log-file", "log.txt")
    assert result.returncode == 1
    assert "\\x1b[2Jbad.jpg" in result.stderr
    results = [json.loads(line) for line in result.stdout.splitlines()]
    done = {name_bytes(event["key"]) for event in results if event.get("outcome") == "done"}
    assert done == set(HOSTILE)
    assert {os.fsencode(path.name) for path in (tmp_path / "out").glob("*.jpg")} == set(HOSTILE)
    printed = [result.stdout, result.stderr, (tmp_path / "log.txt").read_text()]
    printed += [pixmill(*words).stdout for words in (("failures", "out"), ("plan", "hostile", "o2"), ("verify", "out"))]
    for text in printed:
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_words_with_leading_dashes_follow_two_dashes(pixmill, photos, sizes_in, tmp_path):
    photos.rename(tmp_path / "-photos")
    result = pixmill("run", "--quiet", "--", "-photos", "--out")
    assert (result.returncode, result.stderr) == (0, "")
    assert len(sizes_in("--out")) == 4


def test_options_may_stand_between_the_words(pixmill, photos, sizes_in):
    result = pixmill("run", "--workers=1", photos, "--quiet", "out", "--size", "16")
    assert (result.returncode, result.stderr) == (0, "")
    assert set(sizes_in("out").values()) == {(16, 12)}


def test_pipes_and_sockets_are_passed_over_without_waiting_for_them(pixmill, photos, tmp_path):
    os.mkfifo(photos / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(photos / "socket.jpg"))
        (photos / "loop.jpg").symlink_to("loop.jpg")
        result = pixmill("run", photos, "out", "--json")
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 4
    assert result.returncode in (0, 1)


def test_a_log_and_a_metrics_file_hold_the_numbers_of_the_summary(pixmill, photos, tmp_path):
    (photos / "bad.jpg").write_bytes(b"no picture")
    result = pixmill("run", photos, "out", "--log-file", "failures.jsonl", "--metrics-file", "metrics.json", "--json")
    report = json.loads(result.stdout.splitlines()[-1])
    logged = [json.loads(line) for line in (tmp_path / "failures.jsonl").read_text().splitlines()]
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert [line["key"] for line in logged] == ["bad.jpg"]
    assert (metrics["found"], metrics["done"], metrics["failed"]) == (5, 4, 1)
    assert metrics["measures"]["bytes_out"] == report["bytes_out"]


def test_a_run_of_a_shard_and_its_ledger_can_be_asked_about(pixmill, photos):
    for part in ("1/2", "2/2"):
        assert pixmill("run", photos, "out", "--shard", part).returncode == 0
    halves = [pixmill("status", "out", "--state", f"out/.pixmill/shard-{part}-of-2", "--json") for part in (1, 2)]
    assert sum(json.loads(result.stdout)["done"] for result in halves) == 4
