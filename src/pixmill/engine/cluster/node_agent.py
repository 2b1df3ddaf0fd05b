"""The actor on a node: it answers letters, and ends its workers by itself when none comes any more."""

import threading
import time
from contextlib import suppress

from pixmill.core.errors import PixmillError
from pixmill.core.object_reference import import_object
from pixmill.engine.cluster.messages import Inquiry, Reply, Request, Shutdown, StartPool, Versions, decode_request, encode
from pixmill.engine.cluster.node_pool import NodePool
from pixmill.engine.failures import failure_of
from pixmill.engine.task import Failure

NODE_LOST = "node-lost"


class NodeAgent:
    """Lives in a process of the cluster engine. Its methods take and return bytes, and are called one after the other.

    Results of a coordinator that has gone, or that cannot reach us, would be work for nothing: after a silence the workers
    are killed, from a thread of our own, whatever the cluster engine thinks of this node.
    """

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._node_pool: NodePool | None = None
        self._heard = 0.0
        self._left = threading.Event()

    def handshake(self) -> bytes:
        """Return the ``Versions`` here."""
        return encode(Versions.here())

    def handle(self, letter: bytes) -> bytes:
        """Return the ``Reply`` to a ``Request``. What goes wrong here for good is the reply's ``trouble``."""
        with self._lock:
            try:
                reply = self._execute(decode_request(letter))
            except PixmillError as error:
                self._leave()
                reply = Reply(error=failure_of(error, "load"))
            self._heard = time.monotonic()
        return encode(reply)

    def _execute(self, letter: Request) -> Reply:
        match letter:
            case Inquiry():
                return _shown(letter)
            case StartPool():
                self._node_pool = NodePool(letter)
                self._heard = time.monotonic()
                threading.Thread(target=self._watchdog, args=(letter.silence,), daemon=True).start()
                return self._node_pool.state()
            case Shutdown():
                self._leave()
                return Reply()
            case _ if self._node_pool is None:
                message = "the node heard nothing from the coordinator for too long and stopped working"
                return Reply(error=Failure(code=NODE_LOST, stage="", message=message))
            case _:
                return self._node_pool.work(letter)

    def _watchdog(self, silence: float) -> None:
        while not self._left.wait(silence / 5):
            with self._lock:
                if time.monotonic() - self._heard > silence:
                    self._leave()

    def _leave(self) -> None:
        self._left.set()
        station, self._node_pool = self._node_pool, None
        if station is not None:
            with suppress(OSError):  # what cannot be reaped any more is gone already
                station.close()


def _shown(inquiry: Inquiry) -> Reply:
    """Return the evidence that is asked for, or why there is none: what cannot be shown here now is not shown at all."""
    try:
        return Reply(evidence=import_object(inquiry.function)(inquiry.options))
    except Exception as error:  # noqa: BLE001  # the function is not ours
        return Reply(error=failure_of(error, "load"))
