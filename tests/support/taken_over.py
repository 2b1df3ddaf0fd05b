"""A handler that stands for a worker which an image has taken over: it tries what it must not be able to do."""

import ctypes
import os
import resource
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from pixmill.core.errors import PixmillError
from pixmill.core.phases import completed
from pixmill.engine.broker import wait_for_the_end
from pixmill.engine.handler import Handler
from pixmill.storage.storage import Replacing, no_op
from pixmill.storage.writer.client import WriterClient
from pixmill.storage.writer.files import NewFile

End = int | str  # the number of an error, or a text
LIBC = ctypes.CDLL(None, use_errno=True)
IO_URING_SETUP, KEYCTL, PIDFD_OPEN = 425, 250, 434  # x86_64
SECRET = "correct-horse-battery-staple"  # what a test puts into the environment


def handler(options: bytes, writer: socket.socket) -> Handler:
    """Build the handler. ``options``: the folder with the input, and the port of a server on this machine."""
    folder, port = msgspec.msgpack.decode(options)
    return lambda payload, stages: msgspec.msgpack.encode(outcomes(Path(folder), port) | requests(writer))  # noqa: ARG005


def requests(writer: socket.socket) -> dict[str, End]:
    """Return what came of requests to the writer: the kind of the error, or ``done``."""
    wanted = {"the ledger": b".pixmill/ledger.sqlite", "elsewhere": b"../new", "an output": b"output.jpg"}
    client, ends = WriterClient(writer, on_lost=wait_for_the_end), dict[str, End]()
    for purpose, name in wanted.items():
        file = NewFile(name, b"x", None, Replacing(others=True))
        try:
            completed(client.write([file], durable=False, on_sync=no_op))
            ends[f"have the writer write {purpose}"] = "done"
        except PixmillError as error:
            ends[f"have the writer write {purpose}"] = type(error).__name__
    return ends


def outcomes(folder: Path, port: int) -> dict[str, End]:
    """Return what came of each attempt, in this thread and in another one."""
    tried: dict[str, End] = {}

    def try_all(suffix: str) -> None:
        tried.update({name + suffix: end(try_it) for name, try_it in attempts(folder, port)})

    thread = threading.Thread(target=try_all, args=(", thread",))
    thread.start()
    thread.join()
    try_all("")
    return tried


def end(try_it: Callable[[], object]) -> End:
    """Return the number of the error, ``done``, or the text that ``try_it`` returns."""
    try:
        found = try_it()
    except OSError as error:
        return error.errno or 0
    return found if isinstance(found, str) else "done"


def attempts(folder: Path, port: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the name and the function of each attempt, as SECURITY.md lists them."""
    source, coordinator, output = folder / "in" / "a.jpg", os.getppid(), folder / "out"
    yield "write a file elsewhere", lambda: (folder / "new").write_bytes(b"x")
    yield "write in the common folder for temporary files", lambda: Path("/tmp/pixmill-taken-over").write_bytes(b"x")
    yield "write an output by itself", lambda: (output / "new").write_bytes(b"x")
    yield "write the ledger", lambda: (output / ".pixmill" / "ledger.sqlite").write_bytes(b"x")
    yield "remove the ledger", (output / ".pixmill" / "ledger.sqlite").unlink
    yield "move the state folder", lambda: (output / ".pixmill").rename(output / "other")
    yield "change an input", lambda: source.write_bytes(b"x")
    yield "remove an input", source.unlink
    yield "change the mode of an input", lambda: source.chmod(0o600)
    yield "change the owner of an input", lambda: os.chown(source, os.getuid(), os.getgid())
    yield "change the time of an input", lambda: os.utime(source, (1, 1))
    yield "set an attribute of an input", lambda: os.setxattr(source, "user.x", b"1")
    yield "start a program", lambda: os.execv("/bin/true", ["true"])
    yield "start a program as a child", lambda: subprocess.run(["/bin/true"], check=False)
    yield "connect by TCP", lambda: socket.create_connection(("127.0.0.1", port)).close()
    yield "send by UDP", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    yield "open a Unix socket", lambda: socket.socket(socket.AF_UNIX).close()
    yield "signal the coordinator", lambda: os.kill(coordinator, 0)
    yield "signal every process", lambda: os.kill(-1, 0)
    yield "limit another process", lambda: resource.prlimit(coordinator, resource.RLIMIT_CPU, (1, 1))
    yield "trace another process", lambda: called(101, 16, coordinator, 0, 0)
    yield "read the memory of another process", lambda: Path(f"/proc/{coordinator}/mem").open("rb").close()
    yield "read the environment of another process", lambda: Path(f"/proc/{coordinator}/environ").read_bytes()
    yield "hold another process", lambda: called(PIDFD_OPEN, coordinator, 0)
    yield "read a key", lambda: called(KEYCTL, 0, -3, 1)
    yield "use io_uring", lambda: called(IO_URING_SETUP, 1, bytes(4096))
    yield "mount", lambda: called(165, b"none", os.fsencode(folder), b"tmpfs", 0, None)
    yield "enter a namespace", lambda: called(272, 0x20000)
    yield "hide behind 32-bit calls", lambda: called(0x40000000 + 90, os.fsencode(source), 0o600)
    yield "find a credential in the environment", lambda: credential(Path("/proc/self/environ").read_bytes())


def called(number: int, *arguments: object) -> None:
    """Call the system by number; raise the error as ``os`` does."""
    if LIBC.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "")


def credential(environment: bytes) -> str:
    """Return ``none`` unless ``SECRET`` is in ``environment``."""
    return "none" if SECRET.encode() not in environment and SECRET not in os.environ.values() else "found"


def possible(options: bytes) -> Handler:
    """Build a handler that makes some of the attempts, to show that they can succeed."""
    folder, port = msgspec.msgpack.decode(options)
    wanted = ("write a file elsewhere", "change the mode of an input", "find a credential in the environment")
    tries = {name: try_it for name, try_it in attempts(Path(folder), port) if name in wanted}
    return lambda payload, stages: msgspec.msgpack.encode({name: end(try_it) for name, try_it in tries.items()})  # noqa: ARG005
