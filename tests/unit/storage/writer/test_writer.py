"""Files are written by another process, which believes what it is sent nothing but the bytes."""

import os
import socket
import threading
from contextlib import contextmanager

import msgspec
import pytest

from pixmill.core.errors import AddressError, RunError, WriteError
from pixmill.core.phases import completed
from pixmill.storage.entry import FileVersion
from pixmill.storage.schemes.file import FileStorage
from pixmill.storage.storage import Replacing, WrittenFile, content_digest, no_op
from pixmill.storage.writer.client import WriterClient
from pixmill.storage.writer.files import DirectWriter, NewFile
from pixmill.storage.writer.messages import HEADER
from pixmill.storage.writer.server import serve


@contextmanager
def connections(folder, count=1, **options):
    """Yield the ends of ``count`` connections to a server that writes to ``folder``."""
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(count)]
    serve(DirectWriter(FileStorage(os.fsencode(folder), tag="t", reserved=b".pixmill", **options)), [theirs for _, theirs in pairs])
    try:
        yield [ours for ours, _ in pairs]
    finally:
        for ours, _ in pairs:
            ours.close()


@pytest.fixture
def client(tmp_path):
    with connections(tmp_path) as (connection,):
        yield WriterClient(connection, on_lost=lost)


def lost():
    raise AssertionError("the writer has died")


def write(client, *files, durable=True):
    return completed(client.write(files, durable=durable, on_sync=no_op))


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def refusal(kind, client, *files):
    with pytest.raises(kind) as raised:
        write(client, *files)
    return raised.value


@pytest.mark.parametrize("size", [0, 1, 5000, (1 << 20) + 1])
def test_a_file_is_written_with_every_byte(client, tmp_path, size):
    data = os.urandom(size)
    (version,) = write(client, NewFile(b"sub/a.jpg", data))
    assert (tmp_path / "sub" / "a.jpg").read_bytes() == data
    assert version == FileVersion.of((tmp_path / "sub" / "a.jpg").stat())
    assert names(tmp_path) == ["sub", "sub/a.jpg"]


def test_files_of_a_request_are_told_apart_and_get_their_times(client, tmp_path):
    files = [NewFile(b"%d" % number, b"x" * number, 10**18 + number) for number in range(5)]
    versions = write(client, *files)
    assert [version.size for version in versions] == list(range(5))
    assert [(tmp_path / str(number)).stat().st_mtime_ns for number in range(5)] == [10**18 + number for number in range(5)]


def test_several_requests_wait_together_and_each_gets_its_own_reply(client, tmp_path):
    stages = []
    works = [
        client.write([NewFile(b"%d" % number, b"x" * number)], durable=True, on_sync=lambda: stages.append("fsync"))
        for number in range(40)
    ]
    for work in works:
        next(work)
    assert [completed(work)[0].size for work in reversed(works)] == list(reversed(range(40)))
    assert stages == ["fsync"] * 40
    assert len(names(tmp_path)) == 40


def test_workers_write_at_the_same_time(tmp_path):
    with connections(tmp_path, count=4) as ours:
        threads = [
            threading.Thread(target=write, args=(WriterClient(end, on_lost=lost), NewFile(b"%d/%d" % (which, which), b"x")))
            for which, end in enumerate(ours)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(names(tmp_path)) == 8


def test_an_error_comes_back_as_it_was_raised(client, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"foreign")
    theirs = refusal(WriteError, client, NewFile(b"a.jpg", b"ours"))
    direct = DirectWriter(FileStorage(os.fsencode(tmp_path)))
    with pytest.raises(WriteError) as raised:
        completed(direct.write([NewFile(b"a.jpg", b"ours")], durable=True, on_sync=no_op))
    assert vars(theirs) == vars(raised.value)
    assert theirs.evidence["size"] == 7


def test_what_may_be_replaced_is_told(client, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"former")
    former = WrittenFile(FileVersion(6), content_digest(b"former"))
    write(client, NewFile(b"a.jpg", b"new", None, Replacing(own=(former,))))
    write(client, NewFile(b"a.jpg", b"newer", None, Replacing(others=True)))
    status = (tmp_path / "a.jpg").stat()
    source = Replacing(others=True, source=lambda: (status.st_dev, status.st_ino))
    assert "is the source file" in refusal(WriteError, client, NewFile(b"a.jpg", b"newest", None, source)).message
    assert (tmp_path / "a.jpg").read_bytes() == b"newer"


def test_if_one_file_of_a_request_fails_the_others_are_not_written(client, tmp_path):
    (tmp_path / "b").write_bytes(b"foreign")
    assert refusal(WriteError, client, NewFile(b"b", b"ours"), NewFile(b"a", b"ours"), NewFile(b"c", b"ours")).name == b"b"
    assert names(tmp_path) == ["b"]


@pytest.mark.parametrize("name", [b"../out.jpg", b"/etc/x", b"a/../../b", b"", b"a\0b"])
def test_a_name_that_leads_out_is_refused(client, tmp_path, name):
    assert refusal(AddressError, client, NewFile(name, b"x"))
    assert names(tmp_path) == []
    assert not (tmp_path.parent / "out.jpg").exists()


@pytest.mark.parametrize("name", [b".pixmill/ledger.sqlite", b".pixmill/runs/x", b"link/x", b"sub/link/x"])
def test_the_state_folder_is_out_of_reach_by_whatever_name(tmp_path, name):
    (tmp_path / ".pixmill" / "runs").mkdir(parents=True)
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(".pixmill")
    (tmp_path / "sub" / "link").symlink_to("../.pixmill")
    with connections(tmp_path, follow_symlinks=True) as (connection,):
        assert refusal(WriteError, WriterClient(connection, on_lost=lost), NewFile(name, b"x")).code == "reserved"
    assert names(tmp_path / ".pixmill") == ["runs"]


def test_a_lost_output_is_an_error_of_the_run(tmp_path):
    folder = tmp_path / "out"
    with connections(folder) as (connection,):
        other = WriterClient(connection, on_lost=lost)
        write(other, NewFile(b"a", b"x"))
        (folder / "a").unlink()
        folder.rmdir()
        assert refusal(RunError, other, NewFile(b"b", b"x")).code == "output-lost"


def memory_file(content):
    descriptor = os.memfd_create("content", os.MFD_ALLOW_SEALING)
    os.write(descriptor, content)
    return descriptor


FILE = [b"a", 2, None, [], False, [], None]


def packet(files, content):
    requests = msgspec.msgpack.encode([[1, True, files]])
    return HEADER.pack(len(requests)), requests + content


def in_a_file(folder, content):
    (folder / "content").write_bytes(content)
    return os.open(folder / "content", os.O_RDWR)


@pytest.mark.parametrize(
    ("header", "content"),
    [
        packet([FILE], b"x"),
        packet([FILE, [b"b", -2, *FILE[2:]]], b"xx"),
        (HEADER.pack(4), b"\xc1\xc1\xc1\xc1"),
        (HEADER.pack(1 << 60), b"\x91"),
        (b"\1", b"\x90"),
    ],
    ids=["too little content", "a negative size", "garbage", "a length beyond the end", "half a header"],
)
def test_a_worker_that_sends_what_is_no_request_is_left_alone_and_others_are_served(tmp_path, header, content):
    check_hostile(tmp_path, header, [memory_file(content)])


def test_a_worker_that_sends_no_content_or_one_that_others_can_change_is_left_alone(tmp_path):
    header, content = packet([FILE], b"xx")
    check_hostile(tmp_path, header, [])
    check_hostile(tmp_path, header, [in_a_file(tmp_path, content)])


def check_hostile(tmp_path, header, descriptors):
    folder = tmp_path / "out"
    with connections(folder, count=2) as (hostile, good):
        socket.send_fds(hostile, [header], descriptors)
        assert hostile.recv(100) == b""
        write(WriterClient(good, on_lost=lost), NewFile(b"good", b"x"))
        for descriptor in descriptors:
            os.close(descriptor)
    assert names(folder) == ["good"]


def test_a_content_cannot_be_changed_after_it_was_sent(tmp_path):
    with connections(tmp_path) as (connection,):
        header, content = packet([FILE], b"xx")
        descriptor = memory_file(content)
        socket.send_fds(connection, [header], [descriptor])
        assert connection.recv(1000)
        with pytest.raises(PermissionError):
            os.write(descriptor, b"other")
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)
