"""The nursery: a small process of one thread that imports the handler's modules once and then forks workers on request.

It is started afresh, never forked, so no lock, thread or open file of the caller gets into a worker. Being their only
parent, it knows how each worker ended. It lives as long as the coordinator holds the other end of its pipe, and its workers
live no longer than it does. Requests and reports are the fixed records of ``fork_server``.
"""

import ctypes
import gc
import importlib
import marshal
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress

import msgspec

from pixmill.engine.forkserver.client import EXITED, FORK, FORK_FAILED, RECORD, STARTED, WorkerConfig
from pixmill.engine.forkserver.spawn import BootConfig
from pixmill.engine.worker.process import prepare_process, run_worker

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_MAX_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class ForkServerProcess:
    """The loop of the nursery, over its end of the pipe."""

    def __init__(self, pipe: socket.socket, hello: WorkerConfig) -> None:
        """Fork workers for the handler of ``hello`` as ``pipe`` asks for them."""
        self._pipe = pipe
        self._config = hello
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None
        self._children: dict[int, int] = {}
        self._wakeup_read, self._wakeup_write = socket.socketpair()
        for end in (self._wakeup_read, self._wakeup_write):
            end.settimeout(0)

    def run(self) -> None:
        """Serve until the coordinator hangs up; then kill and reap every worker."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup_write.fileno(), warn_on_full_buffer=False)
        ready = select.poll()
        ready.register(self._pipe, select.POLLIN)
        ready.register(self._wakeup_read, select.POLLIN)
        try:
            self._serve(ready)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the coordinator is gone
        finally:
            for pid in self._children.values():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            while self._children:
                pid, _, _ = os.wait4(-1, 0)
                self._remove_child(pid)

    def _serve(self, ready: select.poll) -> None:
        while True:
            for fd, _ in ready.poll():
                if fd == self._wakeup_read.fileno():
                    self._wakeup_read.recv(4096)
                    self._reap()
                elif not self._handle_request():
                    return

    def _handle_request(self) -> bool:
        """Take one request; return ``False`` when the coordinator has hung up."""
        record, fds, _, _ = socket.recv_fds(self._pipe, RECORD.size, 2)
        if not record:
            return False
        request, number, _, _ = RECORD.unpack(record)
        if request == FORK:
            self._fork(number, fds)
        elif number in self._children:
            os.kill(self._children[number], signal.SIGKILL)
        return True

    def _fork(self, number: int, fds: list[int]) -> None:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self._report(FORK_FAILED, number, error.errno or 0, 0)
        else:
            if pid == 0:
                self._run_child(parent, fds)
            self._children[number] = pid
            self._report(STARTED, number, pid, 0)
        finally:
            for fd in fds:
                os.close(fd)

    def _run_child(self, parent: int, fds: list[int]) -> None:
        """Turn the fresh fork into a worker; never returns."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if self._libc is not None:
                self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
                self._libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            for end in (self._pipe, self._wakeup_read, self._wakeup_write):
                end.close()
            if os.getppid() == parent:
                for fd in fds:
                    os.set_inheritable(fd, False)  # noqa: FBT003  # positional only
                run_worker(socket.socket(fileno=fds[0]), fds[1], self._config.handler, processor_time=self._config.processor_time)
        finally:
            os._exit(1)

    def _reap(self) -> None:
        while self._children:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            number = self._remove_child(pid)
            if number is not None:
                self._report(EXITED, number, status, usage.ru_maxrss * _MAX_RSS_UNIT)

    def _remove_child(self, pid: int) -> int | None:
        """Strike ``pid`` off the list; return its number, ``None`` for a stray that a preloaded module started."""
        number = next((number for number, child in self._children.items() if child == pid), None)
        if number is not None:
            del self._children[number]
        return number

    def _report(self, kind: int, number: int, value: int, memory: int) -> None:
        self._pipe.sendall(RECORD.pack(kind, number, value, memory))


def main() -> None:
    """Be a nursery whose pipe is standard input. Started by ``fork_server.Nursery``."""
    pipe = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    letter = _receive(pipe)
    if not letter:
        return
    opening = BootConfig(*marshal.loads(letter))  # noqa: S302  # from our parent, over a pipe that nobody else has
    sys.path[:] = opening.path
    sys.argv[:] = opening.argv
    _configure_process(opening.parent_pid)
    gc.disable()  # an import leaves next to no garbage, and looking for it takes an eighth of the time
    _preload(opening.preload)
    body = _receive(pipe)
    if not body:
        return  # it was laid by, and nobody needed it
    hello = msgspec.msgpack.decode(body, type=WorkerConfig)
    _preload(hello.handler.preload)
    gc.enable()
    gc.freeze()
    ForkServerProcess(pipe, hello).run()


def _preload(modules: Iterable[str]) -> None:
    for module in modules:
        with suppress(Exception):  # each worker will meet the error when it loads the handler, and report it
            importlib.import_module(module)


def _configure_process(parent_pid: int) -> None:
    prepare_process()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # ``kill -TERM -GROUP`` and systemd reach us too: the coordinator decides
    if parent_pid and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent_pid:
            os._exit(0)


def _receive(pipe: socket.socket) -> bytes:
    """Return the next letter; nothing when the coordinator has hung up."""
    size = int.from_bytes(pipe.recv(4, socket.MSG_WAITALL), "little")
    return pipe.recv(size, socket.MSG_WAITALL) if size else b""
