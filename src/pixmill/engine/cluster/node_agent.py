"""The actor on a node: it handles requests, and kills its workers by itself when no more arrive."""

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
    """Runs in a process of the cluster engine. Its methods take and return bytes, and are called one at a time.

    A coordinator that has gone, or cannot reach this node, would never receive its results. So after a period of silence a thread
    of the agent kills the workers, whatever the cluster engine believes about the node.
    """

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._node_pool: NodePool | None = None
        self._last_request = 0.0
        self._stopped = threading.Event()

    def handshake(self) -> bytes:
        """Return the ``Versions`` of this process."""
        return encode(Versions.here())

    def handle(self, request: bytes) -> bytes:
        """Return the ``Reply`` to a ``Request``. A fatal problem on this node is the reply's ``error``."""
        with self._lock:
            try:
                reply = self._execute(decode_request(request))
            except PixmillError as error:
                self._stop()
                reply = Reply(error=failure_of(error, "load"))
            self._last_request = time.monotonic()
        return encode(reply)

    def _execute(self, request: Request) -> Reply:
        match request:
            case Inquiry():
                return _evidence(request)
            case StartPool():
                self._node_pool = NodePool(request)
                self._last_request = time.monotonic()
                threading.Thread(target=self._watchdog, args=(request.silence,), daemon=True).start()
                return self._node_pool.state()
            case Shutdown():
                self._stop()
                return Reply()
            case _ if self._node_pool is None:
                message = "the node stopped because it had not heard from the coordinator for too long"
                return Reply(error=Failure(code=NODE_LOST, stage="", message=message))
            case _:
                return self._node_pool.run(request)

    def _watchdog(self, silence: float) -> None:
        while not self._stopped.wait(silence / 5):
            with self._lock:
                if time.monotonic() - self._last_request > silence:
                    self._stop()

    def _stop(self) -> None:
        self._stopped.set()
        node_pool, self._node_pool = self._node_pool, None
        if node_pool is not None:
            with suppress(OSError):  # a worker that can no longer be reaped is gone already
                node_pool.close()


def _evidence(inquiry: Inquiry) -> Reply:
    """Return the requested evidence, or the error that prevented it: a node that cannot answer now counts as one that never can."""
    try:
        return Reply(evidence=import_object(inquiry.function)(inquiry.options))
    except Exception as error:  # noqa: BLE001  # the function is not ours
        return Reply(error=failure_of(error, "load"))
