"""Local writes under faults: atomic, nothing left behind, and every error with the right code (S1 to S8, S17, S18)."""

import gc
import os
import shutil
import signal
import subprocess
import sys

import pytest

from pixmill.core.errors import RunError, WriteError
from pixmill.storage.local.temporary import names
from pixmill.storage.schemes.file import FileStorage
from pixmill.storage.storage import Replacing

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting and changing users need root")
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace injects the faults")
WRITE = """
import os, sys
from pixmill.core.errors import PixmillError
from pixmill.storage.schemes.file import FileStorage
from pixmill.storage.storage import Replacing, WrittenFile
storage = FileStorage(os.fsencode(sys.argv[1]))
for name in sys.argv[2:]:
    own = (WrittenFile(storage.version_of(os.fsencode(name)), b""),) if os.environ.get("OWN") == "1" else ()
    replacing = Replacing(own=own)
    try:
        storage.write(os.fsencode(name), b"new" * 1000, durable=True, replacing=replacing)
        print("written")
    except PixmillError as error:
        print(type(error).__name__, error.code, error.retryable, bool(error.hint))
"""
WRITE_IN_LOCKSTEP = """
import os, sys
from pixmill.core.phases import in_lockstep
from pixmill.storage.schemes.file import FileStorage
storage = FileStorage(os.fsencode(sys.argv[1]))
for _ in in_lockstep([storage.write_phases(os.fsencode(name), b"new" * 1000, durable=True) for name in sys.argv[2:]]):
    pass
"""
WRITE_FOR_EVER = """
import itertools, os, sys
from pixmill.storage.schemes.file import FileStorage
from pixmill.storage.storage import Replacing
storage = FileStorage(os.fsencode(sys.argv[1]), tag="dead")
for number in itertools.count():
    storage.write(b"%d.jpg" % (number % 3), b"x" * 3_000_000, durable=False, replacing=Replacing(others=True))
    print(number, flush=True)
"""


def process(script, *arguments, before=(), own=False):
    """Start a Python that runs ``script``; the interpreter itself, as the environment's one may lie where others may not look."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = {"PYTHONPATH": path, "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "OWN": str(int(own))}
    command = [*before, os.path.realpath(sys.executable), "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def write_in_a_process(root, *paths, before=(), own=False):
    """Write each path below ``root``, over what is there if it is ``own``; return what became of each."""
    started = process(WRITE, root, *paths, before=before, own=own)
    said, complaint = started.communicate(timeout=60)
    assert started.returncode == 0, complaint
    return said.splitlines()


def files(root):
    return sorted(os.fsencode(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.fixture
def storage(tmp_path):
    return FileStorage(os.fsencode(tmp_path), tag="run1")


@pytest.fixture
def mounted(public_path):
    """Return a function that mounts a small file system in memory."""
    place = public_path / "mounted"
    place.mkdir()

    def mount(options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)
        return place

    yield mount
    gc.collect()  # a storage keeps the folders open that it writes to, and an error that was raised keeps the storage
    subprocess.run(["umount", place], check=True)


def test_nothing_but_the_file_is_left(storage, tmp_path):
    storage.write(b"a/b/c.jpg", b"1", durable=True, mtime_ns=1_500_000_000_123_456_789)
    assert files(tmp_path) == [b"a/b/c.jpg"]
    assert (tmp_path / "a/b/c.jpg").stat().st_mtime_ns == 1_500_000_000_123_456_789


def test_a_new_file_has_the_rights_that_the_user_wants(storage, tmp_path):
    before = os.umask(0o027)
    try:
        storage.write(b"a.jpg", b"1", durable=True)
    finally:
        os.umask(before)
    assert (tmp_path / "a.jpg").stat().st_mode & 0o777 == 0o640


def test_the_longest_name_can_be_written_and_a_longer_one_is_an_error_of_its_own(storage, tmp_path):
    longest = b"x" * 251 + b".jpg"
    storage.write(longest, b"1", durable=True)
    with pytest.raises(WriteError) as raised:
        storage.write(b"x" + longest, b"1", durable=True)
    assert (raised.value.code, raised.value.retryable) == ("write-name", False)
    with pytest.raises(WriteError) as raised:
        storage.write(b"/".join([b"d" * 200] * 25), b"1", durable=True)
    assert raised.value.code == "write-name"
    assert files(tmp_path) == [longest]


def test_a_directory_in_the_way_is_an_error_and_no_temporary_stays(storage, tmp_path):
    (tmp_path / "a.jpg").mkdir()
    (tmp_path / "b").write_bytes(b"a file")
    for path in (b"a.jpg", b"b/c.jpg"):
        with pytest.raises(WriteError):
            storage.write(path, b"1", durable=True)
    assert files(tmp_path) == [b"b"]


def test_a_link_under_the_target_name_is_replaced_and_what_it_led_to_is_kept(storage, tmp_path):
    (tmp_path / "precious").write_bytes(b"keep me")
    (tmp_path / "a.jpg").symlink_to("precious")
    with pytest.raises(WriteError) as raised:
        storage.write(b"a.jpg", b"keep me", durable=True)
    assert raised.value.code == "exists"
    assert (tmp_path / "a.jpg").is_symlink()
    storage.write(b"a.jpg", b"new", durable=True, replacing=Replacing(others=True))
    assert (tmp_path / "precious").read_bytes() == b"keep me"
    assert not (tmp_path / "a.jpg").is_symlink()


@needs_root
@pytest.mark.parametrize("options", ["size=200k", "nr_inodes=5"], ids=["space", "inodes"])
def test_a_full_disk_stops_the_run_and_leaves_no_piece(mounted, options):
    place = mounted(options)
    storage = FileStorage(os.fsencode(place))
    with pytest.raises(RunError) as raised:
        fill(storage)
    assert raised.value.code == "disk-full"
    assert raised.value.hint
    whole = files(place)
    assert whole
    assert all((place / os.fsdecode(name)).stat().st_size == 30_000 for name in whole)
    subprocess.run(["mount", "-o", "remount,size=10m,nr_inodes=100", place], check=True)
    storage.write(b"more.jpg", b"x" * 30_000, durable=True)


def fill(storage):
    for number in range(100):
        storage.write(b"%d.jpg" % number, b"x" * 30_000, durable=True)


@needs_root
def test_an_output_that_is_mounted_read_only_stops_the_run(mounted):
    place = mounted("size=1m")
    subprocess.run(["mount", "-o", "remount,ro", place], check=True)
    with pytest.raises(RunError) as raised:
        FileStorage(os.fsencode(place)).write(b"a.jpg", b"1", durable=True)
    assert raised.value.code == "read-only"


@needs_root
def test_an_output_without_the_right_to_write_stops_the_run_a_folder_in_it_costs_its_images(mounted):
    place = mounted("size=1m,mode=777")
    (place / "closed").mkdir(mode=0o755)
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    assert write_in_a_process(place, "closed/a.jpg", "b.jpg", before=nobody) == ["WriteError write-denied False False", "written"]
    assert write_in_a_process(place / "closed", "a.jpg", "b/c.jpg", before=nobody) == ["RunError not-writable False True"] * 2
    assert write_in_a_process(place / "closed" / "new", "a.jpg", before=nobody) == ["RunError not-writable False True"]
    assert files(place) == [b"b.jpg"]


@needs_strace
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("fsync:error=EIO:when=1", "written"),
        ("fsync:error=EIO", "WriteError write True False"),
        ("fsync:error=ENOSPC", "RunError disk-full False True"),
        ("write:error=EIO:when=1", "WriteError write True False"),
        ("write:error=EDQUOT:when=1", "RunError disk-full False True"),
        ("renameat,renameat2:error=EIO:when=1", "WriteError write True False"),
        ("write:error=EINTR:when=1", "written"),
    ],
)
@pytest.mark.parametrize("is_there", [True, False])
def test_a_fault_of_the_disk_leaves_the_old_file_or_the_new_one_and_nothing_else(tmp_path, fault, said, is_there):
    if is_there:
        (tmp_path / "a.jpg").write_bytes(b"old")
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={fault}"]
    assert write_in_a_process(tmp_path, "a.jpg", before=strace, own=is_there) == [said]
    if said == "written" or is_there:
        assert files(tmp_path) == [b"a.jpg"]
        assert (tmp_path / "a.jpg").read_bytes() == (b"new" * 1000 if said == "written" else b"old")
    else:
        assert files(tmp_path) == []


@needs_strace
def test_durable_writes_sync_the_file_before_its_name_and_then_every_new_directory(tmp_path):
    trace = tmp_path / "trace"
    root = tmp_path / "root"
    root.mkdir()
    before = ["strace", "-f", "-qq", "-y", "-o", str(trace), "-e", "trace=fsync,rename,renameat,renameat2"]
    assert write_in_a_process(root, "a/b/c.jpg", before=before) == ["written"]
    calls = [line for line in trace.read_text().splitlines() if str(root) in line]
    paths = [synced(line) for line in calls if "fsync" in line]
    assert paths[0].startswith(f"{root}/a/b/.pixmill-0-")
    assert "rename" in calls[1]
    assert paths[1:] == [f"{root}/a/b", f"{root}/a", str(root)]


@needs_strace
def test_files_written_in_lockstep_share_the_sync_of_their_directory(tmp_path):
    calls = write_in_step(tmp_path, "trace=fsync,rename,renameat,renameat2")
    assert ["rename" in call for call in calls] == [False, True, False, True, False, True, False, False]
    assert [synced(call) for call in calls[-2:]] == [f"{tmp_path}/root/a", f"{tmp_path}/root/b"]
    assert files(tmp_path / "root") == [b"a/1.jpg", b"a/2.jpg", b"b/3.jpg"]


@needs_strace
def test_a_failed_directory_sync_fails_every_write_that_relied_on_it(tmp_path):
    calls = write_in_step(tmp_path, "inject=fsync:error=EIO:when=4", "trace=fsync,rename,renameat,renameat2")
    assert sum("rename" in call for call in calls) == 5  # the two of a/ are written once more, from the start
    assert sum(synced(call) == f"{tmp_path}/root/a" for call in calls if "rename" not in call) >= 2
    assert files(tmp_path / "root") == [b"a/1.jpg", b"a/2.jpg", b"b/3.jpg"]


def write_in_step(folder, *asked):
    """Write three files phase by phase, two into one directory; return the system calls that strace saw."""
    root, trace = folder / "root", folder / "trace"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
    before = ["strace", "-f", "-qq", "-y", "-o", str(trace), *(word for each in asked for word in ("-e", each))]
    started = process(WRITE_IN_LOCKSTEP, root, "a/1.jpg", "a/2.jpg", "b/3.jpg", before=before)
    _, complaint = started.communicate(timeout=60)
    assert started.returncode == 0, complaint
    return [line for line in trace.read_text().splitlines() if str(root) in line]


def synced(call):
    """Return the path that an fsync in a trace is of."""
    return call.split("<")[1].split(">")[0]


def test_few_files_are_open_at_once_however_many_are_written_in_lockstep(tmp_path):
    names = [f"{number}.jpg" for number in range(200)]
    started = process(WRITE_IN_LOCKSTEP, tmp_path, *names, before=["sh", "-c", 'ulimit -n 64; exec "$0" "$@"'])
    _, complaint = started.communicate(timeout=60)
    assert started.returncode == 0, complaint
    assert files(tmp_path) == sorted(map(os.fsencode, names))


def test_an_aborted_write_leaves_nothing(storage, tmp_path):
    steps = storage.write_phases(b"a.jpg", b"1", durable=True)
    next(steps)
    assert len(files(tmp_path)) == 1
    steps.close()
    assert files(tmp_path) == []


def test_kill_9_leaves_complete_files_and_temporaries_that_can_be_removed(tmp_path):
    for rounds in range(1, 12, 3):
        writer = process(WRITE_FOR_EVER, tmp_path)
        for _ in range(rounds):
            assert writer.stdout.readline()
        writer.kill()
        writer.communicate()
        assert writer.returncode == -signal.SIGKILL
    left = [name for name in files(tmp_path) if name.endswith(b".tmp")]
    whole = [name for name in files(tmp_path) if not name.endswith(b".tmp")]
    storage = FileStorage(os.fsencode(tmp_path))
    assert [entry.path for listing in storage.list() for entry in listing] == whole
    assert storage.remove_temporaries({"other"}) == 0
    assert storage.remove_temporaries({"dead"}) == len(left)
    assert files(tmp_path) == whole
    assert all((tmp_path / os.fsdecode(name)).stat().st_size == 3_000_000 for name in whole)


def test_only_temporaries_are_removed(tmp_path):
    ours, others = next(names("run1")), next(names("run2"))
    kept = [
        ".pixmill-run1.tmp",
        ".pixmill-run1-1-1.tmp.jpg",
        ".pixmill",
        "x.pixmill-run1-1-1.tmp",
        ".pixmill-run1-a-1.tmp",
        "a.tmp",
    ]
    (tmp_path / "a").mkdir()
    for name in (*kept, "a/" + os.fsdecode(ours), os.fsdecode(others)):
        (tmp_path / name).write_bytes(b"1")
    (tmp_path / "a" / ".pixmill-run1-7-7.tmp").mkdir()
    (tmp_path / ".pixmill-run1-8-8.tmp").symlink_to("a.tmp")
    storage = FileStorage(os.fsencode(tmp_path))
    assert [entry.path for listing in storage.list() for entry in listing] == sorted(map(os.fsencode, kept))
    assert storage.remove_temporaries(["run1"]) == 1
    assert storage.remove_temporaries() == 1
    assert storage.remove_temporaries() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "a", ".pixmill-run1-8-8.tmp"])


def test_a_temporary_of_the_same_name_is_never_overwritten(storage, tmp_path):
    taken = tmp_path / os.fsdecode(next(names("run1")))
    taken.write_bytes(b"of another machine")
    storage.write(b"a.jpg", b"1", durable=True)
    assert taken.read_bytes() == b"of another machine"
    assert (tmp_path / "a.jpg").read_bytes() == b"1"


@pytest.mark.parametrize("tag", ["", "a-b", "../x", "x" * 33, "ä"])
def test_a_tag_that_would_not_be_recognised_later_is_refused(tmp_path, tag):
    with pytest.raises(ValueError, match="letters and digits"):
        FileStorage(os.fsencode(tmp_path), tag=tag).write(b"a", b"", durable=False)


def test_temporaries_of_an_output_below_stay(tmp_path):
    inner = tmp_path / "out" / "sub"
    (inner / ".pixmill").mkdir(parents=True)
    (inner / "deep").mkdir()
    (tmp_path / "out" / ".pixmill").mkdir()
    beside = tmp_path / "out" / "other"
    beside.mkdir()
    left = [folder / ".pixmill-1of1-7-0.tmp" for folder in (tmp_path / "out", inner, inner / "deep", beside)]
    for path in left:
        path.write_bytes(b"half")
    assert FileStorage(os.fsencode(tmp_path / "out")).remove_temporaries() == 2
    assert [path.exists() for path in left] == [False, True, True, False]
    assert FileStorage(os.fsencode(inner)).remove_temporaries() == 2
