"""Turns a process into a worker."""

import faulthandler
import mmap
import os
import signal
import socket
import sys

from pixmill.core.operating_system import lower_limit
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.status_slot import PAGE_SIZE, StatusSlot, redirect_output
from pixmill.engine.worker.loop import Worker
from pixmill.engine.worker.mark import mark_as_worker

_OOM_SCORE_ADJUSTMENT = 500  # of 1000: the kernel prefers workers when it looks for a process to kill


def prepare_process() -> None:
    """Set up signals, core dumps and the OOM score so that this process can be killed at any moment and leaves nothing behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    lower_limit("RLIMIT_CORE", 0)
    try:
        with open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123  # pathlib costs more than the write
            score.write(str(_OOM_SCORE_ADJUSTMENT))
    except OSError:
        pass  # not Linux, or /proc is not mounted: the OOM killer chooses by size alone
    mark_as_worker()


def run_worker(  # what a worker is made of
    pipe: socket.socket,
    status_fd: int,
    handler_ref: HandlerRef,
    *,
    page: tuple[int, int] | None,
    processor_time: float,
    broker: socket.socket | None = None,
) -> None:
    """Run the worker until the coordinator closes the pipe, then exit the process.

    ``page``: the file with the page of its status slot and the offset in it, ``None`` for the memory behind ``status_fd``.
    ``broker``: its connection to the broker, if the handler has one.
    """
    status = 1
    try:
        prepare_process()
        status_slot = StatusSlot.attach(status_fd, _map_page(*page) if page else None)
        redirect_output(status_fd)
        os.close(status_fd)
        faulthandler.enable(file=2, all_threads=False)
        Worker(pipe, status_slot, processor_time=processor_time).run(handler_ref, broker)
        status = 0
    except (BrokenPipeError, ConnectionResetError):
        pass  # the coordinator is gone
    except BaseException:  # noqa: BLE001  # the outermost frame of the process: the traceback goes to the output buffer
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def _map_page(fd: int, offset: int) -> mmap.mmap:
    """Map one page of the file ``fd``, which is closed: a worker has no access to the pages of others."""
    try:
        return mmap.mmap(fd, PAGE_SIZE, offset=offset)
    finally:
        os.close(fd)
