"""A cluster whose node agents run in threads of this process: real agents with real pools, and a network that the test controls."""

import queue
import threading
from collections.abc import Callable, Mapping

from pixmill.engine.cluster.backend import ClusterBackend, NodeSlot, Received, ReplyQueue
from pixmill.engine.cluster.executor import ClusterExecutor
from pixmill.engine.cluster.messages import Shutdown, decode_reply, encode
from pixmill.engine.cluster.node_agent import NodeAgent
from pixmill.engine.ipc.messages import TaskResult

Call = Callable[[], bytes]


class LoopbackBackend(ClusterBackend):
    """Offers ``slots_present``, which may change at any time, and starts an agent of ``kind`` in each.

    ``cut`` holds back the replies from a slot.
    """

    def __init__(self, *slots: NodeSlot, kind: type[NodeAgent] = NodeAgent) -> None:
        """Start with these slots."""
        self.slots_present = list(slots)
        self.kind = kind
        self._reply_queue = ReplyQueue()
        self._calls: dict[int, queue.SimpleQueue[Call | None]] = {}
        self._agents: dict[int, NodeAgent] = {}
        self._threads: list[threading.Thread] = []
        self._slot_names: dict[int, str] = {}
        self._cut: dict[str, list[Received]] = {}

    def cut(self, name: str) -> None:
        """Hold back all replies from the slot ``name`` from now on."""
        self._cut[name] = []

    def held_results(self, name: str) -> list[TaskResult]:
        """Return the results in the replies that are held back from the slot ``name``."""
        return [result for _, reply in self._cut[name] if isinstance(reply, bytes) for result in decode_reply(reply).results]

    def mend(self, name: str) -> None:
        """Deliver the replies that were held back, late."""
        for reply in self._cut.pop(name):
            self._reply_queue.put(*reply)

    def require(self, resources: Mapping[str, float]) -> None:
        """Take no notice: the slots are the test's."""

    def slots(self) -> list[NodeSlot]:
        """Return the slots that are present."""
        return list(self.slots_present)

    def start_agent(self, number: int, slot: NodeSlot, cores: int) -> None:  # noqa: ARG002  # no cores to reserve
        """Start a thread with an agent."""
        agent = self._agents[number] = self.kind()
        self._slot_names[number] = slot.name
        calls = self._calls[number] = queue.SimpleQueue()
        calls.put(agent.handshake)
        thread = threading.Thread(target=self._serve, args=(number, calls), daemon=True)
        self._threads.append(thread)
        thread.start()

    def send(self, number: int, request: bytes) -> None:
        """Have the agent's thread handle ``request``."""
        agent = self._agents[number]
        self._calls[number].put(lambda: agent.handle(request))

    def receive(self, timeout: float) -> list[Received]:
        """Return the replies that have arrived."""
        return self._reply_queue.take(timeout)

    def stop_agent(self, number: int) -> None:
        """Forget the agent; like an unreachable one, it goes on until it notices."""
        self._calls[number].put(None)

    def close(self) -> None:
        """Stop every agent, including forgotten ones."""
        for calls in self._calls.values():
            calls.put(None)
        for thread in self._threads:
            thread.join()
        for agent in self._agents.values():
            agent.handle(encode(Shutdown()))

    def _serve(self, number: int, calls: "queue.SimpleQueue[Call | None]") -> None:
        while call := calls.get():
            try:
                reply: bytes | Exception = call()
            except Exception as error:  # noqa: BLE001  # as a cluster engine does
                reply = error
            held = self._cut.get(self._slot_names[number])
            if held is None:
                self._reply_queue.put(number, reply)
            else:
                held.append((number, reply))


class LoopbackExecutor(ClusterExecutor):
    """A cluster executor that uses a ``LoopbackBackend``."""

    def __init__(
        self, backend: LoopbackBackend, *, workers: int | None = None, lease: float = 15.0, no_nodes_timeout: float = 60.0
    ) -> None:
        """Run on ``backend``."""
        super().__init__(workers=workers, lease=lease, no_nodes_timeout=no_nodes_timeout)
        self.backend = backend

    def open_backend(self, address: str | None, workers: int | None) -> ClusterBackend:  # noqa: ARG002  # it is open
        """Return the backend."""
        return self.backend
