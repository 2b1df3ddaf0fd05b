"""The fork server: a small single-threaded process that imports the handler's modules once and then forks workers on request.

It is started by exec, never forked, so no lock, thread or open file of the caller reaches a worker. As the parent of all workers
it learns how each one ended. It lives as long as the coordinator keeps the other end of its pipe open, and its workers and their
broker, which it starts before the first of them, do not outlive it. Requests and events are the fixed-size records of ``client``.
"""

import gc
import importlib
import marshal
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable
from contextlib import nullcontext, suppress

import msgspec

from pixmill.engine.forkserver.broker import Broker
from pixmill.engine.forkserver.child import die_with, fork_child
from pixmill.engine.forkserver.client import EXITED, FORK, FORK_FAILED, RECORD, STARTED, WorkerConfig
from pixmill.engine.forkserver.spawn import BootConfig
from pixmill.engine.forkserver.temporary_folder import private_temporary_folder
from pixmill.engine.worker.process import prepare_process, run_worker

_BROKER = 0  # its number among the children; those of workers begin with 1
_MAX_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class ForkServerProcess:
    """The main loop of the fork server, at its end of the pipe."""

    def __init__(self, pipe: socket.socket, config: WorkerConfig) -> None:
        """Fork workers for the handler of ``config`` as requested over ``pipe``."""
        self._pipe = pipe
        self._config = config
        self._broker: Broker | None = None
        self._children: dict[int, int] = {}
        self._wakeup_read, self._wakeup_write = socket.socketpair()
        for end in (self._wakeup_read, self._wakeup_write):
            end.settimeout(0)

    def run(self) -> None:
        """Serve until the coordinator closes the pipe; then kill and reap every worker."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup_write.fileno(), warn_on_full_buffer=False)
        ready = select.poll()
        ready.register(self._pipe, select.POLLIN)
        ready.register(self._wakeup_read, select.POLLIN)
        try:
            self._serve(ready)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the coordinator is gone, or the broker
        finally:
            if self._broker:
                self._children[_BROKER] = self._broker.pid
            for pid in self._children.values():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            while self._children:
                pid, _, _ = os.wait4(-1, 0)
                self._remove_child(pid)

    def _serve(self, ready: "select.poll") -> None:
        while True:
            for fd, _ in ready.poll():
                if fd == self._wakeup_read.fileno():
                    self._wakeup_read.recv(4096)
                    if not self._reap():
                        return
                elif not self._handle_request():
                    return

    def _handle_request(self) -> bool:
        """Handle one request; return ``False`` if the coordinator has closed the pipe."""
        record, fds, _, _ = socket.recv_fds(self._pipe, RECORD.size, 3)
        if not record:
            return False
        request, number, offset, _ = RECORD.unpack(record)
        if request == FORK:
            self._fork(number, fds, offset)
        elif number in self._children:
            os.kill(self._children[number], signal.SIGKILL)
        return True

    def _fork(self, number: int, fds: list[int], offset: int) -> None:
        connection = None
        try:
            connection = self._connect_to_broker(fds)
            pid = fork_child(lambda: self._run_worker(fds, offset, connection), closed=self._own_descriptors())
        except (BrokenPipeError, ConnectionResetError):
            raise  # the broker has died: there will be no more workers here
        except OSError as error:
            self._send_event(FORK_FAILED, number, error.errno or 0, 0)
        else:
            self._children[number] = pid
            self._send_event(STARTED, number, pid, 0)
        finally:
            for fd in fds:
                os.close(fd)
            if connection:
                connection.close()

    def _connect_to_broker(self, fds: list[int]) -> socket.socket | None:
        """Return a connection to the broker; a new one has no use for the worker's ``fds``.

        ``None`` if the handler has none, or if this system has no sandbox, so that workers may do everything themselves.
        """
        broker_ref = self._config.handler.broker
        if broker_ref is None or sys.platform != "linux":
            return None
        if self._broker is None:
            self._broker = Broker(broker_ref, closed=[*self._own_descriptors(), *fds])
        return self._broker.connect()

    def _own_descriptors(self) -> list[int]:
        """Return what no child may keep open."""
        sockets = [self._pipe, self._wakeup_read, self._wakeup_write, *([self._broker.control] if self._broker else [])]
        return [each.fileno() for each in sockets]

    def _run_worker(self, fds: list[int], offset: int, connection: socket.socket | None) -> None:
        for fd in fds:
            os.set_inheritable(fd, False)  # noqa: FBT003  # positional only
        pipe, status_fd, *page_fd = fds
        run_worker(
            socket.socket(fileno=pipe),
            status_fd,
            self._config.handler,
            page=(page_fd[0], offset) if page_fd else None,
            processor_time=self._config.processor_time,
            broker=connection,
        )

    def _reap(self) -> bool:
        """Report the children that have ended; return ``False`` if the broker is one of them: the workers can do nothing more."""
        while self._children:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return True
            if self._broker and pid == self._broker.pid:
                self._broker = None
                if os.WIFSIGNALED(status):  # otherwise it has written why
                    sys.stderr.write(f"the broker of the workers was terminated by signal {os.WTERMSIG(status)}\n")
                return False
            number = self._remove_child(pid)
            if number is not None:
                self._send_event(EXITED, number, status, usage.ru_maxrss * _MAX_RSS_UNIT)
        return True

    def _remove_child(self, pid: int) -> int | None:
        """Remove ``pid`` and return its number; ``None`` for a process that a preloaded module started."""
        number = next((number for number, child in self._children.items() if child == pid), None)
        if number is not None:
            del self._children[number]
        return number

    def _send_event(self, kind: int, number: int, value: int, memory: int) -> None:
        self._pipe.sendall(RECORD.pack(kind, number, value, memory))


def main() -> None:
    """Run a fork server whose pipe is standard input. Started by ``spawn``."""
    pipe = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    boot_frame = _receive(pipe)
    if not boot_frame:
        return
    boot_config = BootConfig(*marshal.loads(boot_frame))  # noqa: S302  # from our parent, over a private pipe
    sys.path[:] = boot_config.path
    sys.argv[:] = boot_config.argv
    _configure_process(boot_config.parent_pid)
    gc.disable()  # imports leave almost no garbage, and collecting it would take an eighth of the time
    _preload(boot_config.preload)
    config_frame = _receive(pipe)
    if not config_frame:
        return  # it was pre-started and not needed
    config = msgspec.msgpack.decode(config_frame, type=WorkerConfig)
    os.environb.update(config.credentials)
    _preload(config.handler.preload)
    gc.enable()
    gc.freeze()
    with private_temporary_folder() if config.handler.confinement else nullcontext():
        ForkServerProcess(pipe, config).run()


def _preload(modules: Iterable[str]) -> None:
    for module in modules:
        with suppress(Exception):  # each worker meets the same error when it loads the handler, and reports it
            importlib.import_module(module)


def _configure_process(parent_pid: int) -> None:
    prepare_process()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # sent to the whole group by kill and systemd: only the coordinator reacts
    if parent_pid and sys.platform == "linux":
        die_with(parent_pid)


def _receive(pipe: socket.socket) -> bytes:
    """Return the body of the next frame, empty if the coordinator has closed the pipe."""
    size = int.from_bytes(pipe.recv(4, socket.MSG_WAITALL), "little")
    return pipe.recv(size, socket.MSG_WAITALL) if size else b""
