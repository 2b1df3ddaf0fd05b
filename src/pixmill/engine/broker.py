"""The broker of a pool: a process outside the sandbox of its workers, which does for them what they may not do themselves."""

import signal
import socket
from typing import NoReturn

import msgspec

from pixmill.engine.resources.sandbox import Sandbox

GREETING = b"+"  # the first message over a connection: the broker has started


class BrokerRef(msgspec.Struct, frozen=True):
    """Tells a fork server how to start the broker of its workers.

    ``serve`` is ``package.module:name``: a function that takes ``options`` (bytes, opaque to the engine) and an iterator of
    connections, one for each worker that starts (Unix sockets of type SEQPACKET), and returns when there are no more. What comes
    over a connection may come from code that has taken over the worker. ``confinement``: the sandbox of the broker itself.

    On a system without a sandbox there is none, and the handler does everything itself.

    The broker outlives no fork server. If it dies, its fork server and the workers end with it, and are started again: what was
    not reported as done is done again. A handler that loses its connection calls ``wait_for_the_end``.
    """

    serve: str
    options: bytes = b""
    confinement: Sandbox | None = None


def await_greeting(connection: socket.socket) -> None:
    """Wait until the broker has started; if it dies first, until this worker is killed: it has no task that could be blamed."""
    try:
        greeting = connection.recv(len(GREETING))
    except ConnectionResetError:
        greeting = b""
    if not greeting:
        wait_for_the_end()


def wait_for_the_end() -> NoReturn:
    """Wait until this worker is killed with its fork server, because the broker has died; an error would be that of its task."""
    while True:
        signal.pause()
