"""The files and streams that a run writes for other programs."""

import json
import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from pixmill.core.errors import ConfigError, RunError
from pixmill.core.name_text import name_bytes
from pixmill.engine.events import RunStalled, RunStarted, TaskFinished, TaskFound, WorkersSeen
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.observability.exporters.event_lines import EventFile, EventLines
from pixmill.engine.observability.exporters.failure_log import FailureLog
from pixmill.engine.observability.exporters.metrics_file import MetricsFile
from pixmill.engine.observability.metrics import Metrics
from pixmill.engine.task import Done, Failed, Failure, Task

FAILED = Failed(
    task=Task(b"", b"a\n\x1b[31m\xff.jpg"),
    failure=Failure(code="timeout", stage="decode", message="took\ntoo long", hint="give it more", signal=9),
    attempts=3,
    seconds=60.5,
)
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="/dev/full is Linux's")


def finished(outcome):
    return TaskFinished(at=1.5, outcome=outcome)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_the_metrics_file_is_there_from_the_start_and_brought_up_to_date_at_intervals_and_at_the_end(tmp_path):
    clock, metrics, path = Clock(), Metrics(), tmp_path / "metrics.json"
    exporter = MetricsFile(path, metrics, interval=10, clock=clock)
    seen = [json.loads(path.read_text())["found"]]
    for now in (1, 9.9, 10, 15, 20):
        clock.now = now
        event = TaskFound(at=0, task=Task(b"", b"a"))
        metrics.on_event(event)
        exporter.on_event(event)
        seen.append(json.loads(path.read_text())["found"])
    metrics.on_event(event)
    exporter.close()
    seen.append(json.loads(path.read_text())["found"])
    assert seen == [0, 0, 0, 3, 3, 5, 6]
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_of_the_metrics_file_always_finds_it_complete(tmp_path):
    path = tmp_path / "metrics.json"
    exporter = MetricsFile(path, Metrics(), interval=0)
    over = threading.Event()
    read = []

    def reader():
        while not over.is_set():
            read.append(json.loads(path.read_text())["found"])

    thread = threading.Thread(target=reader)
    thread.start()
    for _ in range(100):
        exporter.on_event(RunStarted(at=0, run=1, workers=1))
    over.set()
    thread.join()
    assert set(read) == {0}


@pytest.mark.parametrize("make", [lambda path: MetricsFile(path, Metrics()), FailureLog], ids=["metrics", "log"])
def test_a_file_that_cannot_be_opened_is_an_error_before_the_run(tmp_path, make):
    with pytest.raises(ConfigError, match="cannot be written: No such file"):
        make(tmp_path / "missing" / "file.json")


def test_a_metrics_file_whose_folder_vanishes_ends_the_run(tmp_path):
    (tmp_path / "folder").mkdir()
    exporter = MetricsFile(tmp_path / "folder" / "m.json", Metrics(), interval=0)
    (tmp_path / "folder" / "m.json").unlink()
    (tmp_path / "folder").rmdir()
    with pytest.raises(RunError, match="can no longer be written"):
        exporter.on_event(RunStarted(at=0, run=1, workers=1))


def test_every_event_is_a_line_that_is_seen_at_once(tmp_path):
    with (tmp_path / "events").open("w") as stream:
        exporter = EventLines(stream, explain=len)
        exporter.on_event(finished(FAILED))
        exporter.on_event(finished(Done(task=Task(b"", b"b"), result=b"123")))
        first, second = map(json.loads, (tmp_path / "events").read_text().splitlines())
        exporter.close()
        assert not stream.closed
    assert name_bytes(first["key"]) == FAILED.task.key
    assert first["failure"]["message"] == "took\ntoo long"
    assert second["result"] == 3


def written_in_vain(stream):
    exporter = EventLines(stream)
    for _ in range(3):
        exporter.on_event(finished(FAILED))
    with suppress(OSError):  # the buffer still holds the lines that could not be written
        stream.close()
    return exporter.error


@needs_full
def test_a_stream_that_takes_nothing_does_not_stop_the_work():
    assert written_in_vain(FULL.open("w")).strerror == "No space left on device"


def test_a_reader_that_leaves_does_not_stop_the_work():
    reading, writing = os.pipe()
    os.close(reading)
    assert isinstance(written_in_vain(os.fdopen(writing, "w")), BrokenPipeError)


def test_the_log_has_one_inert_line_a_failure(tmp_path):
    path = tmp_path / "failures.log"
    path.write_text("an earlier run\n")
    log = FailureLog(path)
    log.on_event(finished(Done(task=Task(b"", b"b"))))
    log.on_event(finished(FAILED))
    line = r"a\n\x1b[31m\xff.jpg: timeout in decode: took\ntoo long; give it more (attempts 3, 60.500 s, signal 9)"
    assert path.read_text().splitlines() == ["an earlier run", f"1970-01-01T00:00:01.500+00:00 {line}"]
    log.close()


@pytest.mark.parametrize("suffix", ["json", "JSONL"])
def test_the_log_is_json_when_its_name_says_so(tmp_path, suffix):
    path = tmp_path / f"failures.{suffix}"
    log = FailureLog(path)
    log.on_event(finished(FAILED))
    log.on_event(finished(FAILED))
    log.close()
    for text in path.read_text().splitlines():
        assert json.loads(text)["failure"]["code"] == "timeout"
        assert name_bytes(json.loads(text)["key"]) == FAILED.task.key


@needs_full
def test_a_log_that_cannot_be_written_ends_the_run(tmp_path):
    (tmp_path / "failures.log").symlink_to(FULL)
    log = FailureLog(tmp_path / "failures.log")
    with pytest.raises(RunError, match="No space left"):
        log.on_event(finished(FAILED))
    with pytest.raises(RunError):
        log.close()


def test_a_log_that_grows_is_rotated_and_only_the_newest_files_are_kept(tmp_path):
    path = tmp_path / "failures.log"
    log = FailureLog(path, max_bytes=500, max_files=2)
    for number in range(20):
        failed = Failed(task=Task(b"", b"%d.jpg" % number), failure=Failure(code="decode", stage="decode", message="x" * 100))
        log.on_event(finished(failed))
    log.close()
    assert {each.name for each in tmp_path.iterdir()} == {"failures.log", "failures.log.1", "failures.log.2"}
    assert all(each.stat().st_size <= 500 for each in tmp_path.iterdir())
    text = "".join((tmp_path / name).read_text() for name in ("failures.log.2", "failures.log.1", "failures.log"))
    names = [int(line.split()[1].partition(".")[0]) for line in text.splitlines()]
    assert names == list(range(20 - len(names), 20))


def test_a_stall_is_a_line_for_each_worker_in_the_log(tmp_path):
    path = tmp_path / "failures.log"
    log = FailureLog(path)
    log.on_event(RunStalled(at=1.5, seconds=40, posts=(WorkerStatus(pid=7, key=b"a\nb.jpg", stage="decode", seconds=39.5),)))
    log.close()
    (line,) = path.read_text().splitlines()
    assert r"a\nb.jpg: stalled in decode: nothing has finished for 40 s (running for 39.5 s, process 7)" in line


def test_worker_statuses_are_not_written_as_events(tmp_path):
    path = tmp_path / "events.jsonl"
    file = EventFile(path)
    file.on_event(WorkersSeen(at=1, memory=1, posts=()))
    file.on_event(RunStarted(at=1, run=1, workers=2))
    file.close()
    (event,) = map(json.loads, path.read_text().splitlines())
    assert event["event"] == "run_started"


@needs_full
def test_an_events_file_that_is_full_ends_the_run():
    file = EventFile(FULL)
    with pytest.raises(RunError, match="can no longer be written"):
        file.on_event(RunStarted(at=1, run=1, workers=2))
    with suppress(RunError):
        file.close()
