"""What SECURITY.md says that a worker cannot do is tried by one, from two threads."""

import errno
import platform
import re
import shutil
import socket
import subprocess
import sys

import msgspec
import pytest
from PIL import Image

from pixmill.batch.worker.confinement import reading_sandbox, writer_for
from pixmill.batch.worker.options import HandlerOptions
from pixmill.engine.handler import HandlerRef
from pixmill.engine.resources.sandbox import gaps
from pixmill.engine.runner import open_run
from pixmill.engine.task import Done, Task
from support import taken_over

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="the calls have the numbers of x86_64"),
    pytest.mark.skipif(bool(gaps()), reason="this kernel does not refuse everything"),
]
REFUSED = (errno.EPERM, errno.EACCES, errno.ENOSYS)


@pytest.fixture
def tried(tmp_path, monkeypatch):
    """Return what came of each attempt of a worker whose output is ``out``; the environment of the run has a credential."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", taken_over.SECRET)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{taken_over.SECRET}@proxy")
    for folder in ("in", "out/.pixmill"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "in" / "a.jpg").write_bytes(b"picture")
    (tmp_path / "out" / ".pixmill" / "ledger.sqlite").write_bytes(b"ledger")
    source, destination = ((tmp_path / folder).as_uri() for folder in ("in", "out"))
    handler_options = HandlerOptions(source, destination, "t", {}, 10**6, True, False, False, ())  # noqa: FBT003
    with socket.create_server(("127.0.0.1", 0)) as server:
        options = msgspec.msgpack.encode((str(tmp_path), server.getsockname()[1]))
        sandbox, writer = reading_sandbox(handler_options), writer_for(handler_options)
        handler = HandlerRef("support.taken_over:handler", options, confinement=sandbox, broker=writer)
        with open_run([Task.of("a")], handler, workers=1) as run:
            (outcome,) = run
    assert isinstance(outcome, Done), outcome
    return msgspec.msgpack.decode(outcome.result)


@pytest.mark.row("hostile")
def test_a_worker_that_is_taken_over_can_do_nothing_of_the_list(tried, tmp_path):
    assert tried.pop("find a credential in the environment") == "none"
    assert tried.pop("find a credential in the environment, thread") == "none"
    asked = {name: tried.pop(name) for name in list(tried) if name.startswith("have the writer")}
    assert asked == {
        "have the writer write the ledger": "WriteError",
        "have the writer write elsewhere": "AddressError",
        "have the writer write an output": "done",
    }
    assert {name: end for name, end in tried.items() if end not in REFUSED} == {}
    assert len(tried) > 40
    assert (tmp_path / "in" / "a.jpg").read_bytes() == b"picture"
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        "in", "in/a.jpg", "out", "out/.pixmill", "out/.pixmill/ledger.sqlite", "out/output.jpg"
    ]  # fmt: skip
    assert (tmp_path / "out" / ".pixmill" / "ledger.sqlite").read_bytes() == b"ledger"


@pytest.mark.row("hostile")
def test_without_the_sandbox_most_of_it_is_possible(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", taken_over.SECRET)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(b"picture")
    options = msgspec.msgpack.encode((str(tmp_path), 9))
    with open_run([Task.of("a")], HandlerRef("support.taken_over:possible", options), workers=1) as run:
        (outcome,) = run
    possible = msgspec.msgpack.decode(outcome.result)
    assert possible["change the mode of an input"] == possible["write a file elsewhere"] == "done"
    assert possible["find a credential in the environment"] == "found"


@pytest.mark.row("hostile")
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace shows who confines itself")
@pytest.mark.parametrize("line", ["run in new", "report out", "report out --quality-check 2", "run in new --report r.html"])
def test_every_process_that_decodes_is_confined(tmp_path, line):
    (tmp_path / "in").mkdir()
    for number in range(3):
        Image.new("RGB", (60, 40), (number, 4, 5)).save(tmp_path / "in" / f"{number}.jpg")
    command = [sys.executable, "-m", "pixmill"]
    subprocess.run([*command, "run", "in", "out", "--quiet"], cwd=tmp_path, check=True)
    trace = [shutil.which("strace"), "-f", "-qq", "-o", tmp_path / "trace", "-e", "trace=openat,landlock_restrict_self,seccomp"]
    subprocess.run([*trace, *command, *line.split()], cwd=tmp_path, check=True, capture_output=True)
    confined, opened = {}, set()
    for call in (tmp_path / "trace").read_text().splitlines():
        process = call.split()[0]
        if "landlock_restrict_self(" in call or "seccomp(SECCOMP_SET_MODE_FILTER" in call:
            confined[process] = confined.get(process, 0) + 1
        elif re.search(r'"[^"]*\.jpg", O_RDONLY', call):
            opened.add(process)
            assert confined.get(process) == 2, call
    assert opened
