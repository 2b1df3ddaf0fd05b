"""Memory that is too little, or leaks, and bombs (P7, R1 to R3)."""

import os
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from support.fault_run import DONE, SOME_FAILED
from support.invariants import failed
from support.processes import grandchildren, wait_until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="control groups need root")


@pytest.fixture
def memory_limit():
    """Return a function that makes a control group of so many megabytes and gives it with the words that enter it."""
    group = Path("/sys/fs/cgroup/memory") / f"pixmill-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group (version 1) for memory: {error.strerror}")

    def limit(megabytes):
        (group / "memory.limit_in_bytes").write_text(f"{megabytes}M")
        return group, ("bash", "-c", f'echo $$ > {group}/cgroup.procs && exec "$0" "$@"')

    yield limit
    with suppress(OSError):
        wait_until(lambda: not (group / "cgroup.procs").read_text(), seconds=60)
        group.rmdir()


def resident(pid):
    """Return the resident memory of a process in bytes, and its open files; nothing when it has gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE"), len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return None


def kills_in(group):
    """Return how many processes of a control group the kernel has killed for want of memory."""
    return int((group / "memory.oom_control").read_text().partition("oom_kill ")[2].split()[0])


@pytest.mark.row("P7", "R1")
@needs_root
def test_the_kernel_kills_a_worker_and_never_the_coordinator(trial, gallery, poison_step, memory_limit):
    attempt = trial(gallery(30, heights=(210,)), *poison_step, doomed=["0/poison 000.jpg"])
    group, before = memory_limit(500)
    ended = attempt.run(before=before)
    attempt.faults += 2
    assert ended.code == SOME_FAILED, ended.err
    record = failed(attempt.destination)["0/poison 000.jpg"]
    assert (record.failure.code, record.failure.signal, record.attempts) == ("out-of-memory", 9, 2)
    assert record.failure.peak_rss > 100_000_000
    assert kills_in(group) >= 2
    attempt.complete()


@pytest.mark.row("R1")
@needs_root
def test_a_picture_larger_than_the_memory_is_refused_by_its_header_or_streamed(tmp_path, trial, memory_limit):
    source = tmp_path / "in"
    source.mkdir()
    Image.new("1", (20_000, 14_000)).save(source / "poison bomb.png")
    for number in range(8):
        Image.new("RGB", (300, 200), (number, 0, 0)).save(source / f"{number}.jpg")
    _, before = memory_limit(600)
    attempt = trial(source, doomed=["poison bomb.png"])
    attempt.run(before=before)
    attempt.faults += 1
    assert failed(attempt.destination)["poison bomb.png"].failure.code == "limit-pixels"
    attempt.complete()


@pytest.mark.row("R1", "R2")
@needs_root
def test_pictures_that_need_most_of_the_memory_go_alone_and_nobody_is_killed(tmp_path, trial, memory_limit):
    source = tmp_path / "in"
    source.mkdir()
    # progressive: all of its 60 megapixels are held at once; four of them and the workers are more than there is
    Image.linear_gradient("L").resize((8500, 7000)).convert("RGB").save(source / "0-large-0.jpg", progressive=True)
    for number in range(1, 4):
        shutil.copyfile(source / "0-large-0.jpg", source / f"0-large-{number}.jpg")
    for number in range(200):
        Image.new("RGB", (60, 40), (number, 0, 0)).save(source / f"{number % 10}-small-{number:03}.jpg")
    attempt = trial(source)
    group, before = memory_limit(1000)
    ended = attempt.run("--memory", "1GB", "--workers", "4", before=before)
    attempt.faults += 4
    assert ended.code == DONE, ended.err
    assert kills_in(group) == 0
    attempt.complete()


@pytest.mark.row("R2")
def test_small_pictures_do_not_wait_for_large_ones(tmp_path, trial, poison_step):
    source = tmp_path / "in"
    source.mkdir()
    for number in range(2):
        Image.new("RGB", (240, 214), (number, 0, 0)).save(source / f"0-large-{number}.jpg")
    for number in range(300):
        Image.new("RGB", (60, 40), (number % 256, number // 256, 0)).save(source / f"1-small-{number:03}.jpg")
    attempt = trial(source, *poison_step)
    patience = {"PATIENT_FOLDER": str(attempt.destination), "PATIENT_COUNT": "300"}
    ended = attempt.run("--workers", "3", "--timeout", "200s", env=patience)
    attempt.faults += 2
    assert ended.code == DONE, ended.err
    attempt.complete()


@pytest.mark.row("R3")
def test_a_worker_that_leaks_is_replaced_and_no_image_notices(trial, tmp_path, poison_step):
    source = tmp_path / "in"
    source.mkdir()
    for number in range(120):
        Image.new("RGB", (240, 211), (number, 0, 0)).save(source / f"{number:03}.jpg")
    attempt = trial(source, *poison_step)
    process = attempt.start("--workers", "1", "--recycle-growth", "30MB")
    seen = set()
    while process.poll() is None:
        seen.update(grandchildren(process.pid))
        time.sleep(0.02)  # a look at /proc
    attempt.faults += 120
    assert attempt.end(process).code == DONE
    assert len(seen) > 1
    attempt.complete()


def soak(attempt, *, images):
    """Run to the end, watching; return how coordinator and workers grew, in bytes an image, and what files were open."""
    process = attempt.start("--recycle-tasks", "0", "--durability", "none")
    samples, over = [], threading.Event()

    def watch():
        while not over.wait(0.25):
            seen = [resident(pid) for pid in (process.pid, *grandchildren(process.pid))]
            if None not in seen and len(seen) > 1:
                samples.append((sum(each[0] for each in seen), sum(each[1] for each in seen), len(seen)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        ended = attempt.end(process, patience=1500)
    finally:
        over.set()
        watcher.join()
    assert ended.code == DONE
    full = max(sample[2] for sample in samples)
    steady = [sample for sample in samples if sample[2] == full]
    steady = steady[len(steady) // 4 : -1]
    early, late = steady[: len(steady) // 4], steady[-(len(steady) // 4) :]
    growth = sum(sample[0] for sample in late) / len(late) - sum(sample[0] for sample in early) / len(early)
    return growth / (images * 9 / 16), {sample[1] for sample in steady}  # three quarters, from their first eighth to their last


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.row("R3")
def test_ten_thousand_images_leave_memory_and_open_files_as_they_were(trial, tmp_path, request):
    source = tmp_path / "in"
    for number in range(100):
        folder = source / f"{number:02}"
        folder.mkdir(parents=True)
        for inner in range(100):
            Image.new("RGB", (90, 60), (number, inner, 60)).save(folder / f"{inner:02}.jpg")
    attempt = trial(source)
    growth, files = soak(attempt, images=10_000)
    attempt.faults += 1
    request.node.user_properties.append(("figure", ("memory growth in bytes per image, over 10,000 images", round(growth))))
    assert growth < 1_000, f"{growth:.0f} bytes an image"
    assert max(files) - min(files) <= 12
    attempt.complete()
