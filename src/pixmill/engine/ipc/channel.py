"""The connection of a process to the one that started it: a pipe between them, and a shared status slot."""

import mmap
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from pixmill.engine.ipc.status_slot import StatusSlot


class Channel(NamedTuple):
    """Both ends. ``pipe`` and ``status_slot`` are ours; ``child_pipe`` and ``child_status_fd`` are for the new process."""

    pipe: socket.socket
    status_slot: StatusSlot
    child_pipe: socket.socket
    child_status_fd: int


@contextmanager
def open_channel(page: mmap.mmap | None = None) -> Iterator[Channel]:
    """Open a channel for a process that the block starts. Closes the child's end at exit, and our end only if the block fails.

    ``page``: the page of the status slot, if that is in a file.
    """
    with ExitStack() as child_end, ExitStack() as our_end:
        pipe, child_pipe = socket.socketpair()
        our_end.enter_context(pipe)
        child_end.enter_context(child_pipe)
        status_slot, child_status_fd = StatusSlot.create(page)
        our_end.callback(status_slot.close)
        child_end.callback(os.close, child_status_fd)
        yield Channel(pipe, status_slot, child_pipe, child_status_fd)
        our_end.pop_all()
