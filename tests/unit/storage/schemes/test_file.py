"""Local files: what is listed, what is read and what is refused."""

import errno
import gc
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from pixmill.core.errors import ReadError
from pixmill.storage.local.errors import TRANSIENT, read_error, write_error
from pixmill.storage.schemes.file import FileStorage

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def storage(root):
    root.mkdir()
    return FileStorage(os.fsencode(root))


def paths(storage, **options):
    return [entry.path for listing in storage.list(**options) for entry in listing]


@pytest.mark.timeout(20)
def test_what_could_block_or_act_is_neither_listed_nor_read(storage, root):
    os.mkfifo(root / "fifo.jpg")
    (root / "null.jpg").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root / "socket.jpg"))
        assert paths(storage) == []
        for name in (b"fifo.jpg", b"socket.jpg", b"null.jpg"):
            assert storage.stat(name) is None
            for read in (lambda name=name: storage.read(name, limit=10), lambda name=name: storage.head(name, 10)):
                with pytest.raises(ReadError) as raised:
                    read()
                assert raised.value.code == "read-not-a-file"
                assert not raised.value.retryable


@pytest.mark.timeout(20)
def test_a_device_behind_a_link_is_refused_when_links_are_followed(root):
    root.mkdir()
    (root / "zero.jpg").symlink_to("/dev/zero")
    storage = FileStorage(os.fsencode(root), follow_symlinks=True)
    assert paths(storage) == []
    with pytest.raises(ReadError) as raised:
        storage.read(b"zero.jpg", limit=10)
    assert raised.value.code == "read-not-a-file"


def test_links_are_followed_only_on_request(storage, root, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.jpg").write_bytes(b"1")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "b.jpg").symlink_to(tmp_path / "outside" / "a.jpg")
    assert paths(storage) == []
    assert storage.stat(b"b.jpg") is None
    with pytest.raises(ReadError):
        storage.read(b"b.jpg", limit=10)
    following = FileStorage(os.fsencode(root), follow_symlinks=True)
    assert paths(following) == [b"b.jpg", b"link/a.jpg"]
    assert following.read(b"b.jpg", limit=10) == b"1"


def test_a_loop_of_links_ends_and_each_directory_comes_once(storage, root):
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "1.jpg").write_bytes(b"1")
    (root / "a" / "b" / "up").symlink_to(root)
    (root / "a" / "self").symlink_to("self")
    (root / "z").symlink_to(root / "a" / "b")
    following = FileStorage(os.fsencode(root), follow_symlinks=True)
    refused = []
    assert paths(following, on_error=lambda path, error: refused.append((path, error.code))) == [b"a/b/1.jpg"]
    assert refused == [(b"a/self", "read-not-a-file")]
    assert paths(storage) == [b"a/b/1.jpg"]


def test_a_link_to_nothing_is_reported_when_links_are_followed(root):
    root.mkdir()
    (root / "lost.jpg").symlink_to("nowhere")
    refused = []
    paths(FileStorage(os.fsencode(root), follow_symlinks=True), on_error=lambda path, error: refused.append((path, error.code)))
    assert refused == [(b"lost.jpg", "read-vanished")]


def test_a_missing_root_is_an_error_of_its_listing(root):
    with pytest.raises(ReadError, match="No such file") as raised:
        paths(FileStorage(os.fsencode(root)))
    assert raised.value.code == "read-vanished"


@needs_root
def test_an_unreadable_directory_costs_itself_and_an_unreadable_file_too(public_path):
    (public_path / "a").mkdir()
    (public_path / "b").mkdir()
    for name in ("a/1.jpg", "b/2.jpg", "c.jpg"):
        (public_path / name).write_bytes(b"1")
    (public_path / "a").chmod(0)
    (public_path / "c.jpg").chmod(0)
    script = (
        "import sys, os; from pixmill.storage.schemes.file import FileStorage; from pixmill.core.errors import ReadError\n"
        "storage = FileStorage(os.fsencode(sys.argv[1]))\n"
        "for listing in storage.list(on_error=lambda path, error: print(path, error.code)): print([e.path for e in listing])\n"
        "try: storage.read(b'c.jpg', limit=9)\n"
        "except ReadError as error: print(error.code, error.retryable)\n"
    )
    assert as_nobody(script, public_path) == ["[b'c.jpg']", "b'a' read-denied", "[b'b/2.jpg']", "read-denied False"]


def as_nobody(script, *arguments):
    # the interpreter itself, as the environment's one may lie where nobody may look
    environment = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry), "PATH": os.environ["PATH"]}
    command = [*NOBODY, os.path.realpath(sys.executable), "-c", script, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_file_that_changes_while_it_is_read_is_a_retryable_error(root):
    root.mkdir()
    # a file of /proc has a size of 0 and content all the same: it is longer when read than when looked at
    root.joinpath("link").symlink_to("/proc/self/status")
    with pytest.raises(ReadError) as raised:
        FileStorage(os.fsencode(root), follow_symlinks=True).read(b"link", limit=10_000)
    assert raised.value.code == "read-changed"
    assert raised.value.retryable


def test_the_working_directory_may_change(root, monkeypatch, tmp_path):
    root.mkdir()
    monkeypatch.chdir(root)
    storage = FileStorage(b"out")
    monkeypatch.chdir(tmp_path)
    storage.write(b"a.jpg", b"1", durable=False)
    assert (root / "out" / "a.jpg").read_bytes() == b"1"


def test_descriptors_are_not_leaked(storage, root):
    storage.write(b"a/first", b"1", durable=True)  # the folders that are written to stay open
    before = descriptors_under(root)
    assert before
    for number in range(20):
        storage.write(b"a/%d" % number, b"1", durable=True)
        storage.read(b"a/%d" % number, limit=1)
        with pytest.raises(ReadError):
            storage.read(b"a", limit=1)
        next(storage.list())
    gc.collect()  # listings that were not read to their end
    assert descriptors_under(root) == before


def descriptors_under(folder):
    """How many descriptors this process has in ``folder``; what other tests opened may be closed at any time."""
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one that lists them
            count += descriptor.readlink().is_relative_to(folder)
    return count


@pytest.mark.parametrize("number", sorted(TRANSIENT))
def test_transient_errors_are_retryable(number):
    error = OSError(number, os.strerror(number))
    assert read_error(error, b"a").retryable
    assert write_error(error, b"a", root=b"/").retryable


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOENT, errno.ENAMETOOLONG, errno.EFBIG, errno.EISDIR])
def test_other_errors_are_not(number):
    error = OSError(number, os.strerror(number))
    assert not read_error(error, b"a").retryable
    assert not write_error(error, b"a", root=b"/tmp").retryable


def test_messages_show_names_safely():
    assert r"a\x1b[0m\n" in read_error(OSError(errno.EIO, "x"), b"a\x1b[0m\n").message


@pytest.mark.parametrize("durable", [True, False])
def test_on_sync_is_called_when_the_bytes_are_written_and_the_name_is_not_there_yet(storage, root, durable):
    sizes = []
    storage.write(
        b"a.jpg", b"x" * 100, durable=durable, on_sync=lambda: sizes.append([each.stat().st_size for each in root.iterdir()])
    )
    assert sizes == ([[100]] if durable else [])
    assert [each.name for each in root.iterdir()] == ["a.jpg"]


def test_the_final_name_is_not_there_yet_when_the_disk_is_waited_for(storage, root):
    names = []
    storage.write(b"a.jpg", b"x", durable=True, on_sync=lambda: names.extend(each.name for each in root.iterdir()))
    assert len(names) == 1
    assert names != ["a.jpg"]
