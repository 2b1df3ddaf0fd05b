"""Workers on a Ray cluster: one actor a node, which asks for the cores that its workers use."""

import os
import secrets
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from pixmill.core.errors import MissingExtra, RunError
from pixmill.engine.cluster.backend import ClusterBackend, NodeSlot, Received
from pixmill.engine.cluster.executor import ClusterExecutor
from pixmill.engine.cluster.node_agent import NodeAgent
from pixmill.engine.resources.cpu import usable_cores

_OBJECT_STORE = 100_000_000  # bytes, of a cluster that we start: letters are addresses, Ray's default is 30 % of the memory
#: for a cluster that we start: only who has our token may use it, and it tells nobody that it runs
_PRIVATE = {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
_TOKENS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
_LOOPBACK = "127.0.0.1"
_CONNECTING = 10.0


class RayExecutor(ClusterExecutor):
    """Runs attempts on the Ray cluster at ``address``, else at ``RAY_ADDRESS``, else on one that it starts on this machine."""

    def open_backend(self, address: str | None, workers: int | None) -> ClusterBackend:
        """Connect, or start. A connection that the caller's program has made already is used, and stays."""
        place = address or os.environ.get("RAY_ADDRESS")
        try:
            with _environment({} if place else _private()):
                return RayBackend(place, workers or usable_cores())
        except ImportError:
            raise MissingExtra("ray", "--executor ray") from None


class RayBackend(ClusterBackend):
    """The nodes of a Ray cluster, as sites."""

    def __init__(self, address: str | None, cores: int) -> None:
        """Connect to ``address``; ``None`` for a cluster of our own with ``cores`` cores."""
        import ray  # noqa: PLC0415  # an extra, 70 MB of it
        from ray.util import scheduling_strategies  # noqa: PLC0415  # the same

        self._ray = ray
        self._strategy = scheduling_strategies.NodeAffinitySchedulingStrategy
        self._exits = ExitStack()
        if not ray.is_initialized():
            self._connect({"address": address} if address else {"address": "local", "num_cpus": cores, **_local_only()})
        self._host = ray.remote(NodeAgent)
        self._actors: dict[int, Any] = {}
        self._awaited: dict[Any, int] = {}

    def sites(self) -> list[NodeSlot]:
        """Return the nodes that are alive."""
        try:
            nodes = [node for node in self._ray.nodes() if node["Alive"]]
        except Exception as error:
            raise RunError(f"the Ray cluster does not answer any more: {error}", hint="run again to go on") from error
        return [NodeSlot(node["NodeID"], node["NodeManagerAddress"], int(node["Resources"].get("CPU", 0))) for node in nodes]

    def start_agent(self, number: int, site: NodeSlot, cores: int) -> None:
        """Start the actor on its node, and nowhere else."""
        place = self._strategy(site.name, soft=False)
        actor = self._host.options(num_cpus=cores, scheduling_strategy=place, max_restarts=0).remote()
        self._actors[number] = actor
        self._awaited[actor.handshake.remote()] = number

    def send(self, number: int, letter: bytes) -> None:
        """Call the actor."""
        self._awaited[self._actors[number].handle.remote(letter)] = number

    def receive(self, timeout: float) -> list[Received]:
        """Wait for the first call to return, and take the others that have."""
        if not self._awaited:
            time.sleep(timeout)
            return []
        calls = list(self._awaited)
        ready, _ = self._ray.wait(calls, num_returns=1, timeout=timeout)
        if ready and len(calls) > 1:
            ready, _ = self._ray.wait(calls, num_returns=len(calls), timeout=0)
        return [(self._awaited.pop(call), self._result(call)) for call in ready]

    def drop(self, number: int) -> None:
        """Kill the actor, and forget what it was asked."""
        self._awaited = {call: caller for call, caller in self._awaited.items() if caller != number}
        self._ray.kill(self._actors.pop(number))

    def close(self) -> None:
        """Kill every actor and disconnect."""
        for number in list(self._actors):
            self.drop(number)
        self._exits.close()

    def _connect(self, choices: Mapping[str, Any]) -> None:
        try:
            _check_reachable(choices["address"])
            with _signals_kept():
                self._ray.init(**choices, log_to_driver=False, logging_level="ERROR")
        except Exception as error:
            message = f"no Ray cluster can be used at {choices['address']}: {str(error).strip().splitlines()[0]}"
            raise RunError(message, hint="is --address (or RAY_ADDRESS) right, and the token?") from error
        self._exits.callback(self._ray.shutdown)

    def _result(self, call: Any) -> bytes | Exception:  # noqa: ANN401  # Ray's reference to an object
        try:
            reply: bytes = self._ray.get(call)
        except Exception as error:  # noqa: BLE001  # whatever it is, the node is lost for us
            return error
        return reply


def _check_reachable(address: str) -> None:
    """Raise ``OSError`` when nobody listens at ``host:port``: Ray itself would try for minutes. Other addresses are let pass."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECTING).close()


def _local_only() -> dict[str, Any]:
    return {"_node_ip_address": _LOOPBACK, "include_dashboard": False, "object_store_memory": _OBJECT_STORE}


def _private() -> dict[str, str]:
    """Return what a cluster of our own is started with; a token only where the user has not set one up."""
    token = {} if any(name in os.environ for name in _TOKENS) else {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return {**_PRIVATE, **token}


@contextmanager
def _environment(additions: Mapping[str, str]) -> Iterator[None]:
    """Set the variables that are not set yet while Ray starts; it hands them on to what it starts."""
    new = {name: value for name, value in additions.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Undo what Ray does to signal handlers: it makes SIGTERM end this process at once, and the run must drain."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
