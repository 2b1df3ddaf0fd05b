"""Workers on a Ray cluster: one actor per node, which reserves the cores that its workers use."""

import math
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
from pixmill.engine.cluster.requirements import GPU, slots_of
from pixmill.engine.resources.cpu import usable_cores

_OBJECT_STORE_BYTES = 100_000_000  # of a cluster that we start: messages only hold addresses; Ray's default is 30 % of memory
#: for a cluster that we start: using it requires our token, and it sends no usage statistics
_PRIVATE = {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
_TOKENS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
_LOOPBACK = "127.0.0.1"
_CONNECT_TIMEOUT = 10.0
_RESUME = "run the same command again to resume"
_CHECK_TIMEOUT = 2.0
#: seconds for which the head may not answer; Ray ends the whole process after 60, without an exception
_MAX_HEAD_OUTAGE = 25.0


class RayExecutor(ClusterExecutor):
    """Runs attempts on the Ray cluster at ``address``, else at ``RAY_ADDRESS``, else on one that it starts on this machine."""

    def open_backend(self, address: str | None, workers: int | None) -> ClusterBackend:
        """Connect to a cluster or start one. If the caller's program is connected already, use its connection and keep it open."""
        target = address or os.environ.get("RAY_ADDRESS")
        try:
            with _environment({} if target else _private()):
                return RayBackend(target, workers or usable_cores())
        except ImportError:
            raise MissingExtra("ray", "--executor ray") from None


class RayBackend(ClusterBackend):
    """The nodes of a Ray cluster, as slots."""

    def __init__(self, address: str | None, cores: int) -> None:
        """Connect to ``address``; ``None`` starts a local cluster with ``cores`` cores."""
        import ray  # noqa: PLC0415  # an extra of 70 MB
        from ray.util import scheduling_strategies  # noqa: PLC0415  # the same

        self._ray = ray
        self._strategy = scheduling_strategies.NodeAffinitySchedulingStrategy
        self._exits = ExitStack()
        if not ray.is_initialized():
            self._connect({"address": address} if address else {"address": "local", "num_cpus": cores, **_local_only()})
        self._head = _Head(ray.get_runtime_context().gcs_address)
        self._nodes: list[NodeSlot] = []
        self._needs: Mapping[str, float] = {}
        self._agent_class = ray.remote(NodeAgent)
        self._actors: dict[int, Any] = {}
        self._pending: dict[Any, int] = {}

    def require(self, resources: Mapping[str, float]) -> None:
        """Reserve GPUs and other resources of Ray for each worker."""
        self._needs = {name: math.ceil(need) if name == GPU and need > 1 else need for name, need in resources.items()}

    def slots(self) -> list[NodeSlot]:
        """Return the nodes that are alive; those of the last time while the head does not answer, which may not last long."""
        if not self._head.answers():
            if self._head.outage() > _MAX_HEAD_OUTAGE:
                raise RunError(f"the head of the Ray cluster at {self._head.address} no longer answers", hint=_RESUME)
            return self._nodes
        try:
            nodes = [node for node in self._ray.nodes() if node["Alive"]]
        except Exception as error:
            raise RunError(f"the Ray cluster no longer answers: {error}", hint=_RESUME) from error
        self._nodes = [slot for node in nodes for slot in self._slots_of(node)]
        return self._nodes

    def start_agent(self, number: int, slot: NodeSlot, cores: int) -> None:
        """Start the actor on exactly that node."""
        strategy = self._strategy(slot.name.partition("/")[0], soft=False)
        reserved = {name: cores * amount for name, amount in self._needs.items()}
        options = {"num_cpus": cores, "num_gpus": reserved.pop(GPU, 0.0), "resources": reserved}
        actor = self._agent_class.options(**options, scheduling_strategy=strategy, max_restarts=0).remote()
        self._actors[number] = actor
        self._pending[actor.handshake.remote()] = number

    def send(self, number: int, request: bytes) -> None:
        """Call the actor."""
        self._pending[self._actors[number].handle.remote(request)] = number

    def receive(self, timeout: float) -> list[Received]:
        """Wait for the first call to return, and return the results of all that have."""
        if not self._pending:
            time.sleep(timeout)
            return []
        calls = list(self._pending)
        ready, _ = self._ray.wait(calls, num_returns=1, timeout=timeout)
        if ready and len(calls) > 1:
            ready, _ = self._ray.wait(calls, num_returns=len(calls), timeout=0)
        return [(self._pending.pop(call), self._result(call)) for call in ready]

    def stop_agent(self, number: int) -> None:
        """Kill the actor, and forget its pending call."""
        self._pending = {call: agent for call, agent in self._pending.items() if agent != number}
        self._ray.kill(self._actors.pop(number))

    def close(self) -> None:
        """Kill every actor, unless the head is gone, which would have to do it, and disconnect: then they end by themselves."""
        for number in list(self._actors) if self._head.answers() else ():
            self.stop_agent(number)
        self._exits.close()

    def _slots_of(self, node: Mapping[str, Any]) -> Iterator[NodeSlot]:
        offered = node["Resources"]
        return slots_of(node["NodeID"], node["NodeManagerAddress"], int(offered.get("CPU", 0)), offered, self._needs)

    def _connect(self, options: Mapping[str, Any]) -> None:
        try:
            _check_reachable(options["address"])
            with _preserving_signal_handlers():
                self._ray.init(**options, log_to_driver=False, logging_level="ERROR")
        except Exception as error:
            message = f"no Ray cluster can be used at {options['address']}: {str(error).strip().splitlines()[0]}"
            raise RunError(message, hint="is --address (or RAY_ADDRESS) right, and the token?") from error
        self._exits.callback(self._ray.shutdown)

    def _result(self, call: Any) -> bytes | Exception:  # noqa: ANN401  # Ray's reference to an object
        try:
            reply: bytes = self._ray.get(call)
        except Exception as error:  # noqa: BLE001  # after any error the node is lost to us
            return error
        return reply


class _Head:
    """The process of a Ray cluster that knows its nodes, at ``address``, ``host:port``."""

    def __init__(self, address: str) -> None:
        """Assume that it answers."""
        self.address = address
        self._lost_at: float | None = None

    def answers(self) -> bool:
        """Tell whether it accepts connections now."""
        try:
            _check_reachable(self.address, _CHECK_TIMEOUT)
        except OSError:
            self._lost_at = time.monotonic() if self._lost_at is None else self._lost_at
            return False
        self._lost_at = None
        return True

    def outage(self) -> float:
        """Return for how many seconds it has not answered."""
        return 0.0 if self._lost_at is None else time.monotonic() - self._lost_at


def _check_reachable(address: str, timeout: float = _CONNECT_TIMEOUT) -> None:
    """Raise ``OSError`` if nothing listens at ``host:port``: Ray itself would try for minutes. Other addresses are not checked."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout).close()


def _local_only() -> dict[str, Any]:
    return {"_node_ip_address": _LOOPBACK, "include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}


def _private() -> dict[str, str]:
    """Return the environment for a cluster that we start, with a token only if the user has not set one up."""
    token = {} if any(name in os.environ for name in _TOKENS) else {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return {**_PRIVATE, **token}


@contextmanager
def _environment(additions: Mapping[str, str]) -> Iterator[None]:
    """Set the missing variables while Ray starts; its processes inherit them."""
    new = {name: value for name, value in additions.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


@contextmanager
def _preserving_signal_handlers() -> Iterator[None]:
    """Restore the signal handlers that Ray replaces: its SIGTERM handler exits at once, but the run must drain."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
