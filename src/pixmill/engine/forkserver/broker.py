"""Starts the broker of the workers, and connects each of them to it."""

import os
import socket
import sys
from collections.abc import Iterable, Iterator

from pixmill.core.object_reference import import_object
from pixmill.engine.broker import GREETING, BrokerRef
from pixmill.engine.forkserver.child import fork_child
from pixmill.engine.resources.sandbox import enter_sandbox


class Broker:
    """The broker process of a fork server, whose child it is. It ends when all copies of the socket ``control`` are closed."""

    def __init__(self, broker_ref: BrokerRef, *, closed: Iterable[int]) -> None:
        """Start the process, without the descriptors ``closed``. ``OSError`` if it cannot be started."""
        self.control, accepting = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with accepting:
            self.pid = fork_child(lambda: _serve(broker_ref, accepting), closed=[*closed, self.control.fileno()])

    def connect(self) -> socket.socket:
        """Return the worker's end of a new connection. ``OSError`` if the broker has died, or no descriptor is left."""
        connection, accepted = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with accepted:
            try:
                socket.send_fds(self.control, [b"+"], [accepted.fileno()])
            except OSError:
                connection.close()
                raise
        return connection


def _serve(broker_ref: BrokerRef, accepting: socket.socket) -> None:
    try:
        serve = import_object(broker_ref.serve)
        if broker_ref.confinement:
            enter_sandbox(broker_ref.confinement)
        serve(broker_ref.options, _connections(accepting))
    except BaseException:  # noqa: BLE001  # the outermost frame of the process: the traceback goes to the output of the fork server
        sys.excepthook(*sys.exc_info())


def _connections(accepting: socket.socket) -> Iterator[socket.socket]:
    while True:
        record, descriptors, _, _ = socket.recv_fds(accepting, 1, 1)
        if not record:
            return
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)  # noqa: FBT003  # positional only
            connection = socket.socket(fileno=descriptor)
            connection.send(GREETING)
            yield connection
