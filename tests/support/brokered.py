"""A handler and its broker, which append payloads to a file."""

import os
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pixmill.engine.broker import wait_for_the_end
from pixmill.engine.handler import Handler, Stages


def serve(options: bytes, connections: Iterable[socket.socket]) -> None:
    """Append each message to the file ``options``, and reply with our own pid."""
    for connection in connections:
        threading.Thread(target=_append, args=(Path(os.fsdecode(options)), connection), daemon=True).start()


def _append(path: Path, connection: socket.socket) -> None:
    with connection:
        while message := connection.recv(1000):
            with path.open("ab") as file:
                file.write(message + b"\n")
            connection.send(b"%d" % os.getpid())


def handler(options: bytes, broker: socket.socket) -> Handler:
    """Have each payload written by the broker, after an attempt to write it oneself; return the pid of the broker."""

    def handle(payload: bytes, stages: Stages) -> bytes:  # noqa: ARG001
        with suppress(PermissionError):
            Path(os.fsdecode(options)).with_suffix(".own").write_bytes(payload)
        try:
            broker.send(payload)
            return broker.recv(100) or wait_for_the_end()
        except (BrokenPipeError, ConnectionResetError):
            wait_for_the_end()

    return handle


def serve_the_second_late(options: bytes, connections: Iterable[socket.socket]) -> None:
    """Serve as ``serve`` does, and take four seconds before each connection but the first."""
    for connection in connections:
        threading.Thread(target=_append, args=(Path(os.fsdecode(options)), connection), daemon=True).start()
        time.sleep(4)


def refuse(options: bytes, connections: Iterable[socket.socket]) -> None:  # noqa: ARG001
    """Fail at once."""
    raise OSError("no broker today")
