"""What ties a process to the one that has it started: a pipe between them, and the beacon of the new one."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from pixmill.engine.ipc.status_slot import StatusSlot


class Channel(NamedTuple):
    """Both ends: ``pipe`` and ``status_slot`` are ours, their pipe and their beacon's file descriptor are for the new process."""

    pipe: socket.socket
    status_slot: StatusSlot
    child_pipe: socket.socket
    child_status_fd: int


@contextmanager
def open_channel() -> Iterator[Channel]:
    """Open a link for a process that is started in the block. Their end is closed after it; ours stays, unless the block fails."""
    with ExitStack() as theirs, ExitStack() as ours:
        pipe, child_pipe = socket.socketpair()
        ours.enter_context(pipe)
        theirs.enter_context(child_pipe)
        status_slot, child_status_fd = StatusSlot.create()
        ours.callback(status_slot.close)
        theirs.callback(os.close, child_status_fd)
        yield Channel(pipe, status_slot, child_pipe, child_status_fd)
        ours.pop_all()
