"""What ties a process to the one that has it started: a pipe between them, and the beacon of the new one."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from pixmill.engine.ipc.status_slot import Beacon


class Link(NamedTuple):
    """Both ends: ``pipe`` and ``beacon`` are ours, their pipe and their beacon's file descriptor are for the new process."""

    pipe: socket.socket
    beacon: Beacon
    their_pipe: socket.socket
    their_beacon: int


@contextmanager
def link() -> Iterator[Link]:
    """Open a link for a process that is started in the block. Their end is closed after it; ours stays, unless the block fails."""
    with ExitStack() as theirs, ExitStack() as ours:
        pipe, their_pipe = socket.socketpair()
        ours.enter_context(pipe)
        theirs.enter_context(their_pipe)
        beacon, their_beacon = Beacon.create()
        ours.callback(beacon.close)
        theirs.callback(os.close, their_beacon)
        yield Link(pipe, beacon, their_pipe, their_beacon)
        ours.pop_all()
