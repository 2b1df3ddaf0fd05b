"""The actor on a node: it answers letters, and ends its workers by itself when none comes any more."""

import threading
import time
from contextlib import suppress

from pixmill.core.errors import PixmillError
from pixmill.core.object_reference import resolve
from pixmill.engine.cluster.messages import Dismissal, Engagement, Inquiry, Letter, Reply, Versions, letter_in, packed
from pixmill.engine.cluster.node_pool import Station
from pixmill.engine.failures import failure_of
from pixmill.engine.task import Failure

EXPIRED = "node-lost"


class NodeHost:
    """Lives in a process of the cluster engine. Its methods take and return bytes, and are called one after the other.

    Results of a coordinator that has gone, or that cannot reach us, would be work for nothing: after a silence the workers
    are killed, from a thread of our own, whatever the cluster engine thinks of this node.
    """

    def __init__(self) -> None:
        """Start nothing yet."""
        self._turn = threading.Lock()
        self._station: Station | None = None
        self._heard = 0.0
        self._left = threading.Event()

    def hello(self) -> bytes:
        """Return the ``Versions`` here."""
        return packed(Versions.here())

    def exchange(self, letter: bytes) -> bytes:
        """Return the ``Reply`` to a ``Letter``. What goes wrong here for good is the reply's ``trouble``."""
        with self._turn:
            try:
                reply = self._obey(letter_in(letter))
            except PixmillError as error:
                self._leave()
                reply = Reply(trouble=failure_of(error, "load"))
            self._heard = time.monotonic()
        return packed(reply)

    def _obey(self, letter: Letter) -> Reply:
        match letter:
            case Inquiry():
                return _shown(letter)
            case Engagement():
                self._station = Station(letter)
                self._heard = time.monotonic()
                threading.Thread(target=self._keep_watch, args=(letter.silence,), daemon=True).start()
                return self._station.state()
            case Dismissal():
                self._leave()
                return Reply()
            case _ if self._station is None:
                message = "the node heard nothing from the coordinator for too long and stopped working"
                return Reply(trouble=Failure(code=EXPIRED, stage="", message=message))
            case _:
                return self._station.work(letter)

    def _keep_watch(self, silence: float) -> None:
        while not self._left.wait(silence / 5):
            with self._turn:
                if time.monotonic() - self._heard > silence:
                    self._leave()

    def _leave(self) -> None:
        self._left.set()
        station, self._station = self._station, None
        if station is not None:
            with suppress(OSError):  # what cannot be reaped any more is gone already
                station.close()


def _shown(inquiry: Inquiry) -> Reply:
    """Return the evidence that is asked for, or why there is none: what cannot be shown here now is not shown at all."""
    try:
        return Reply(evidence=resolve(inquiry.function)(inquiry.options))
    except Exception as error:  # noqa: BLE001  # the function is not ours
        return Reply(trouble=failure_of(error, "load"))
