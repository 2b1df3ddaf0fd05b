"""A handler that executes the command in its payload, including crashes and hangs, for tests of executors and runs."""

import ctypes
import errno
import faulthandler
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import msgspec

from pixmill.core.errors import ReadError, RunError
from pixmill.core.phases import Phases
from pixmill.engine.handler import Deferred, Handler, HandlerRef, PendingResult, Stages

REF = HandlerRef("pixmill.testing.faulty_handlers:handler", preload=("pixmill.testing.faulty_handlers",))


def handler(options: bytes) -> Handler:  # noqa: ARG001  # a factory is given options
    """Return the handler. Its payload is a verb and an argument: ``echo x``, ``sleep 0.1``, ``signal 11``, ``log PATH`` ..."""
    return _execute


def broken(options: bytes) -> Handler:  # noqa: ARG001  # a factory is given options
    """Fail to build a handler, as if a library were missing."""
    raise ImportError("libtrouble.so.1: cannot open shared object file")


def exits_on_load(options: bytes) -> Handler:  # noqa: ARG001  # a factory is given options
    """End the process instead of building a handler."""
    os._exit(7)


def _execute(payload: bytes, stages: Stages) -> bytes | PendingResult | Deferred:
    verb, _, argument = payload.decode().partition(" ")
    stages.enter(verb)
    act = _ACTS.get(verb)
    return payload if act is None else act(argument, stages)


def _sleep(argument: str, _: Stages) -> bytes:
    time.sleep(float(argument))
    return b""


def _compute(argument: str, _: Stages) -> bytes:
    end = time.process_time() + float(argument)
    while time.process_time() < end:
        pass
    return b""


def _signal(argument: str, _: Stages) -> bytes:
    os.kill(os.getpid(), int(argument))
    time.sleep(60)  # reached after SIGSTOP
    return b""


def _segfault(_: str, __: Stages) -> bytes:
    ctypes.string_at(0)
    return b""


def _abort(_: str, __: Stages) -> bytes:
    faulthandler.disable()
    os.abort()


def _exit(argument: str, _: Stages) -> bytes:
    os._exit(int(argument))


def _say(argument: str, _: Stages) -> bytes:
    print(argument, file=sys.stderr, flush=True)  # noqa: T201  # like a C library
    return b""


def _log(argument: str, stages: Stages) -> bytes | PendingResult | Deferred:
    """Append a line to a file, so that a test can count runs of a task; then execute the rest of ``argument``, if any."""
    path, *next_command = argument.split(maxsplit=1)
    with Path(path).open("a") as log:
        log.write("ran\n")
    return _execute(next_command[0].encode(), stages) if next_command else b""


def _crash_once(argument: str, stages: Stages) -> bytes:
    """Create the file and crash if it does not exist; succeed if it does."""
    marker = Path(argument)
    if not marker.exists():
        marker.touch()
        return _segfault("", stages)
    return b"second time"


def _raise(argument: str, _: Stages) -> bytes:
    errors: dict[str, BaseException] = {
        "value": ValueError("that is no value"),
        "eio": OSError(errno.EIO, "Input/output error"),
        "corrupt": ReadError("it is corrupt", hint="look at it", code="read-corrupt"),
        "transient": ReadError("try later", retryable=True),
        "fatal": RunError("the disk is full", hint="make room", code="disk-full"),
        "exit": SystemExit(3),
        "memory": MemoryError(),
    }
    raise errors[argument]


def _later(argument: str, stages: Stages) -> PendingResult:
    """Return a pending result that executes ``argument`` when it is committed."""
    stages.count("things", 1)
    return PendingResult(lambda stages: _commit(argument, stages), 0)


def _later_and_large(argument: str, stages: Stages) -> PendingResult:
    """Do the same as ``_later``, with a result that takes 100 MB of memory until it is committed."""
    return msgspec.structs.replace(_later(argument, stages), size=100_000_000)


def _commit(argument: str, stages: Stages) -> Phases[bytes]:
    """Execute the commands in ``argument``, separated by slashes, each in its own phase, and return it."""
    first, *others = argument.split(" / ")
    _execute(first.encode(), stages)
    for other in others:
        yield
        _execute(other.encode(), stages)
    return argument.encode()


def _defer(argument: str, _: Stages) -> Deferred:
    return Deferred(argument.encode())


def _await(argument: str, _: Stages) -> bytes:
    """Wait for a file to exist, for up to a minute."""
    end = time.monotonic() + 60
    while not Path(argument).exists():
        if time.monotonic() > end:
            raise TimeoutError(argument)
        time.sleep(0.002)
    return b""


def _touch(argument: str, _: Stages) -> bytes:
    Path(argument).touch()
    return b""


def _pid(_: str, __: Stages) -> bytes:
    return str(os.getpid()).encode()


def _big(argument: str, _: Stages) -> bytes:
    return bytes(int(argument))


def _text(_: str, __: Stages) -> bytes:
    return cast("bytes", "no bytes")


def _grow(argument: str, _: Stages) -> bytes:
    _LEAKED.append(b"x" * int(argument))
    return b""


def _count(argument: str, stages: Stages) -> bytes:
    stages.count("things", int(argument))
    stages.count("things", 1)
    return b""


_LEAKED: list[bytes] = []
_ACTS: dict[str, Callable[[str, Stages], bytes | PendingResult | Deferred]] = {
    "sleep": _sleep,
    "compute": _compute,
    "signal": _signal,
    "segfault": _segfault,
    "abort": _abort,
    "exit": _exit,
    "say": _say,
    "log": _log,
    "crash-once": _crash_once,
    "raise": _raise,
    "later": _later,
    "defer": _defer,
    "later-large": _later_and_large,
    "await": _await,
    "touch": _touch,
    "count": _count,
    "pid": _pid,
    "big": _big,
    "grow": _grow,
    "text": _text,
}
