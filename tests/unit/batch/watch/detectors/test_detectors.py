"""Both detectors on a real folder: whatever changes is told of."""

import os
import sys
import time

import pytest

from pixmill.batch.watch.detectors.kernel import InotifyDetector
from pixmill.batch.watch.detectors.polling import MAX_BUSY_SHARE, QUICK_SCAN_CPU, PollingDetector

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
DEADLINE = 10.0


def enters(path):
    return not path.startswith(b".")


def polling(root, clock=time.monotonic):
    return PollingDetector(bytes(root), enters, interval=0.0, follow=False, clock=clock)


def told(root):
    return InotifyDetector(bytes(root), enters)


@pytest.fixture(params=[pytest.param(told, marks=LINUX), polling])
def detect(request, tmp_path):
    made = []

    def make():
        made.append(request.param(tmp_path))
        return made[-1]

    yield make
    for detector in made:
        detector.close()


def heard(detector, wanted):
    """Return all that was told, at the latest when ``wanted`` paths or folders were."""
    paths, folders = set(), set()
    end = time.monotonic() + DEADLINE
    while not wanted <= paths | folders and time.monotonic() < end:
        changes = detector.changes()
        paths |= changes.paths
        folders |= changes.folders
    assert wanted <= paths | folders, (paths, folders)
    return paths, folders


def test_nothing_is_told_of_what_was_there_before(detect, tmp_path):
    (tmp_path / "old.jpg").write_bytes(b"x")
    detector = detect()
    (tmp_path / "new.jpg").write_bytes(b"x")
    paths, _ = heard(detector, {b"new.jpg"})
    assert b"old.jpg" not in paths


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(b"other content"),
        lambda path: path.unlink(),
        lambda path: path.rename(path.with_name("moved.jpg")),
        lambda path: os.utime(path, (1, 1)),
    ],
    ids=["overwritten", "removed", "renamed", "touched"],
)
@pytest.mark.parametrize("name", ["a.jpg", "deep/er/a.jpg"])
def test_a_change_is_told_of(detect, tmp_path, change, name):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"content")
    detector = detect()
    change(path)
    heard(detector, {name.encode()})


def test_a_name_that_is_no_text_is_a_name_like_any_other(detect, tmp_path):
    detector = detect()
    with open(bytes(tmp_path) + b"/\xff\n.jpg", "wb") as file:  # noqa: PTH123  # a name that pathlib cannot hold
        file.write(b"x")
    heard(detector, {b"\xff\n.jpg"})


def test_what_comes_into_a_new_folder_is_told_of(detect, tmp_path):
    detector = detect()
    (tmp_path / "new" / "er").mkdir(parents=True)
    (tmp_path / "new" / "er" / "first.jpg").write_bytes(b"x")
    paths, folders = set(), set()
    end = time.monotonic() + DEADLINE
    while not (b"new/er/first.jpg" in paths or folders & {b"new", b"new/er"}) and time.monotonic() < end:
        changes = detector.changes()
        paths |= changes.paths
        folders |= changes.folders
    assert b"new/er/first.jpg" in paths or folders & {b"new", b"new/er"}
    (tmp_path / "new" / "er" / "second.jpg").write_bytes(b"x")
    heard(detector, {b"new/er/second.jpg"})


def test_a_folder_that_is_moved_in_is_told_of_and_heard_of_from_then_on(detect, tmp_path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "album").mkdir()
    (outside / "album" / "a.jpg").write_bytes(b"x")
    detector = detect()
    (outside / "album").rename(tmp_path / "album")
    paths, folders = set(), set()
    end = time.monotonic() + DEADLINE
    while not (b"album" in folders or b"album/a.jpg" in paths) and time.monotonic() < end:
        changes = detector.changes()
        paths |= changes.paths
        folders |= changes.folders
    assert b"album" in folders or b"album/a.jpg" in paths
    (tmp_path / "album" / "b.jpg").write_bytes(b"x")
    heard(detector, {b"album/b.jpg"})


def test_a_folder_that_is_renamed_is_heard_of_under_its_new_name(detect, tmp_path):
    (tmp_path / "old").mkdir()
    detector = detect()
    (tmp_path / "old").rename(tmp_path / "new")
    heard(detector, {b"old"})
    (tmp_path / "new" / "a.jpg").write_bytes(b"x")
    paths, _ = heard(detector, {b"new/a.jpg"})
    assert b"old/a.jpg" not in paths


def test_folders_that_are_not_entered_are_not_heard_of(detect, tmp_path):
    (tmp_path / ".hidden").mkdir()
    detector = detect()
    (tmp_path / ".hidden" / "a.jpg").write_bytes(b"x")
    (tmp_path / "b.jpg").write_bytes(b"x")
    paths, _ = heard(detector, {b"b.jpg"})
    assert b".hidden/a.jpg" not in paths


@LINUX
def test_the_kernel_tells_who_is_still_writing(tmp_path):
    detector = told(tmp_path)
    with (tmp_path / "a.jpg").open("wb") as file:
        file.write(b"half")
        file.flush()
        heard(detector, {b"a.jpg"})
        assert detector.is_open(b"a.jpg")
    heard(detector, {b"a.jpg"})
    assert not detector.is_open(b"a.jpg")
    detector.close()


@LINUX
def test_a_link_to_a_finished_file_is_not_taken_for_one_that_is_being_written(tmp_path, tmp_path_factory):
    finished = tmp_path_factory.mktemp("outside") / "a.jpg"
    finished.write_bytes(b"")
    detector = told(tmp_path)
    (tmp_path / "a.jpg").hardlink_to(finished)
    heard(detector, {b"a.jpg"})
    assert not detector.is_open(b"a.jpg")
    detector.close()


@LINUX
def test_more_changes_than_the_kernel_keeps_make_it_look_at_everything(tmp_path):
    detector = told(tmp_path)
    with open("/proc/sys/fs/inotify/max_queued_events") as file:  # noqa: PTH123  # a file of the kernel
        kept = int(file.read())
    for number in range(kept // 2):
        (tmp_path / f"{number % 100}.jpg").write_bytes(b"x")  # several notices each
    paths, folders = heard(detector, {b""})
    assert b"" in folders
    (tmp_path / "later.jpg").write_bytes(b"x")
    heard(detector, {b"later.jpg"})
    assert paths
    detector.close()


class Stepping:
    """A clock of which each reading is a step later."""

    def __init__(self, step):
        self.time, self.step = 0.0, step

    def __call__(self):
        self.time += self.step
        return self.time


@pytest.mark.parametrize(
    ("elapsed", "worked", "pause"), [(0.0, 0.03, 0.03 / QUICK_SCAN_CPU), (1.0, 0.0, 1.0 / MAX_BUSY_SHARE), (0.0, 0.0, 0.4)]
)
def test_a_glance_is_followed_by_a_pause_that_makes_up_for_its_cost(tmp_path, elapsed, worked, pause):
    clock = Stepping(elapsed)
    detector = PollingDetector(bytes(tmp_path), enters, interval=0.4, follow=False, clock=clock, cpu=Stepping(worked))
    (tmp_path / "a.jpg").write_bytes(b"x")
    os.utime(tmp_path, (1, 1))  # the clock of files may stand still for some milliseconds
    clock.time += 0.4
    assert detector.changes().paths == {b"a.jpg"}
    (tmp_path / "b.jpg").write_bytes(b"x")
    os.utime(tmp_path, (2, 2))
    clock.time += 0.5 * pause - elapsed
    assert detector.changes().paths == frozenset()
    clock.time += 0.6 * pause
    assert detector.changes().paths == {b"b.jpg"}


def test_a_glance_reads_no_folder_whose_names_are_the_same(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    times = iter([0.0, 30.0, 31.0, 31.0, 32.0, 32.0, 33.0, 33.0, 1e6, 1e6])  # a look of 30 s, glances, a look
    detector = PollingDetector(bytes(tmp_path), enters, interval=0.4, follow=False, clock=lambda: next(times), cpu=lambda: 0.0)
    detector.changes()  # once more, since the folder was new
    (tmp_path / "a.jpg").write_bytes(b"written over in its place")
    assert detector.changes().paths == frozenset()
    assert detector.changes().paths == frozenset()
    assert detector.changes().paths == {b"a.jpg"}


def test_what_changes_twice_at_the_same_time_by_the_folders_clock_is_seen_twice(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    times = iter([0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0])
    detector = PollingDetector(bytes(tmp_path), enters, interval=0.4, follow=False, clock=lambda: next(times), cpu=Stepping(10.0))
    os.utime(tmp_path, ns=(1, 1))
    detector.changes()
    (tmp_path / "b.jpg").write_bytes(b"x")
    os.utime(tmp_path, ns=(1, 1))
    detector._quick_scan_due = 0.0
    assert detector.changes().paths == {b"b.jpg"}
