"""A fleet whose hosts are threads of this process: real hosts with real pools, and a network that does as it is told."""

import queue
import threading
from collections.abc import Callable

from pixmill.engine.cluster.backend import ClusterBackend, NodeSlot, Received, ReplyQueue
from pixmill.engine.cluster.executor import ClusterExecutor
from pixmill.engine.cluster.messages import Shutdown, decode_reply, encode
from pixmill.engine.cluster.node_agent import NodeAgent
from pixmill.engine.ipc.messages import TaskResult

Call = Callable[[], bytes]


class LoopbackBackend(ClusterBackend):
    """Puts a host of a ``kind`` at each of ``places``, which may be changed at any time. ``cut`` holds back what a place says."""

    def __init__(self, *places: NodeSlot, kind: type[NodeAgent] = NodeAgent) -> None:
        """Begin with these places."""
        self.places = list(places)
        self.kind = kind
        self._reply_queue = ReplyQueue()
        self._calls: dict[int, queue.SimpleQueue[Call | None]] = {}
        self._hosts: dict[int, NodeAgent] = {}
        self._threads: list[threading.Thread] = []
        self._sites: dict[int, str] = {}
        self._cut: dict[str, list[Received]] = {}

    def cut(self, name: str) -> None:
        """Hold back whatever the hosts at the place ``name`` reply from now on."""
        self._cut[name] = []

    def held_answers(self, name: str) -> list[TaskResult]:
        """Return the answers among what has been held back of the place ``name``."""
        return [answer for _, reply in self._cut[name] if isinstance(reply, bytes) for answer in decode_reply(reply).results]

    def mend(self, name: str) -> None:
        """Deliver what was held back, late."""
        for reply in self._cut.pop(name):
            self._reply_queue.put(*reply)

    def sites(self) -> list[NodeSlot]:
        """Return the places."""
        return list(self.places)

    def start_agent(self, number: int, site: NodeSlot, cores: int) -> None:  # noqa: ARG002  # nothing to set aside
        """Start a thread with a host."""
        host = self._hosts[number] = self.kind()
        self._sites[number] = site.name
        calls = self._calls[number] = queue.SimpleQueue()
        calls.put(host.handshake)
        thread = threading.Thread(target=self._serve, args=(number, calls), daemon=True)
        self._threads.append(thread)
        thread.start()

    def send(self, number: int, letter: bytes) -> None:
        """Have the thread make the call."""
        host = self._hosts[number]
        self._calls[number].put(lambda: host.handle(letter))

    def receive(self, timeout: float) -> list[Received]:
        """Return what has come in."""
        return self._reply_queue.take(timeout)

    def drop(self, number: int) -> None:
        """Forget the host; it goes on until it notices, as one does that cannot be reached."""
        self._calls[number].put(None)

    def close(self) -> None:
        """End every host, the forgotten ones too."""
        for calls in self._calls.values():
            calls.put(None)
        for thread in self._threads:
            thread.join()
        for host in self._hosts.values():
            host.handle(encode(Shutdown()))

    def _serve(self, number: int, calls: "queue.SimpleQueue[Call | None]") -> None:
        while call := calls.get():
            try:
                reply: bytes | Exception = call()
            except Exception as error:  # noqa: BLE001  # as a cluster engine does
                reply = error
            held = self._cut.get(self._sites[number])
            if held is None:
                self._reply_queue.put(number, reply)
            else:
                held.append((number, reply))


class LoopbackExecutor(ClusterExecutor):
    """The executor of a cluster over a ``LoopbackBackend``."""

    def __init__(self, fleet: LoopbackBackend, *, workers: int | None = None, lease: float = 15.0, patience: float = 60.0) -> None:
        """Run on ``fleet``."""
        super().__init__(workers=workers, lease=lease, patience=patience)
        self.fleet = fleet

    def open_backend(self, address: str | None, workers: int | None) -> ClusterBackend:  # noqa: ARG002  # it is open
        """Return the fleet."""
        return self.fleet
