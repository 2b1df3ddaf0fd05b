"""Workers on a Dask cluster: one actor in each Dask worker process, with as many workers as that process has threads."""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from typing import Any
from uuid import uuid4

from pixmill.core.errors import MissingExtra, RunError
from pixmill.engine.cluster.backend import ClusterBackend, NodeSlot, Received, ReplyQueue
from pixmill.engine.cluster.executor import ClusterExecutor
from pixmill.engine.cluster.node_agent import NodeAgent
from pixmill.engine.cluster.requirements import slots_of
from pixmill.engine.resources.cpu import usable_cores

_CONNECT_TIMEOUT = 20.0


class DaskExecutor(ClusterExecutor):
    """Runs attempts on the Dask cluster whose scheduler is at ``address``, else at ``DASK_SCHEDULER_ADDRESS``.

    With neither, it starts a Dask worker inside this process.
    """

    def open_backend(self, address: str | None, workers: int | None) -> ClusterBackend:
        """Connect to a scheduler, or start a local cluster."""
        try:
            return DaskBackend(address or os.environ.get("DASK_SCHEDULER_ADDRESS"), workers or usable_cores())
        except ImportError:
            raise MissingExtra("dask", "--executor dask") from None


class DaskBackend(ClusterBackend):
    """The worker processes of a Dask cluster, as slots."""

    def __init__(self, address: str | None, cores: int) -> None:
        """Connect to ``address``; ``None`` starts a local cluster with ``cores`` threads."""
        import distributed  # noqa: PLC0415  # an extra

        self._reply_queue = ReplyQueue()
        self._futures: dict[int, Any] = {}
        self._actors: dict[int, Any] = {}
        self._needs: Mapping[str, float] = {}
        self._run, self._serial = uuid4().hex, count()
        with ExitStack() as exits:
            target = address or exits.enter_context(_local_cluster(distributed, cores))
            try:
                client = distributed.Client(target, timeout=_CONNECT_TIMEOUT, set_as_default=False)
            except (OSError, ValueError) as error:
                message = f"no Dask scheduler answers at {address}: {error}"
                raise RunError(message, hint="is --address (or DASK_SCHEDULER_ADDRESS) right?") from error
            self._client = exits.enter_context(client)
            self._exits = exits.pop_all()

    def require(self, resources: Mapping[str, float]) -> None:
        """Use only worker processes that were started with these resources (``dask worker --resources GPU=1``)."""
        self._needs = resources

    def slots(self) -> list[NodeSlot]:
        """Return the worker processes that the scheduler lists."""
        try:
            workers = self._client.nthreads()
            known = self._client.scheduler_info(n_workers=-1)["workers"] if self._needs else {}
        except (OSError, TimeoutError, ValueError) as error:
            raise RunError(f"the Dask scheduler no longer answers: {error}", hint="run the same command again to resume") from error
        return [
            slot
            for address, threads in workers.items()
            for slot in self._slots_of(address, threads, known.get(address, {}).get("resources", {}))
        ]

    def _slots_of(self, address: str, threads: int, offered: Mapping[str, float]) -> Iterator[NodeSlot]:
        """Yield the slots of a worker process; it has one, because all that runs in it sees the same GPUs."""
        label = address.rpartition("//")[2]
        slots = list(slots_of(address, label, threads, offered, self._needs))
        yield NodeSlot(address, label, sum(slot.cores for slot in slots), slots[0].lacks, shared_host=label.rpartition(":")[0])

    def start_agent(self, number: int, slot: NodeSlot, cores: int) -> None:
        """Start the actor in exactly that worker process. Dask reserves no cores: they belong to the process anyway."""
        del cores
        key = f"pixmill-{self._run}-{next(self._serial)}"
        future = self._client.submit(NodeAgent, workers=[slot.name], allow_other_workers=False, actor=True, key=key)
        self._futures[number] = future
        future.add_done_callback(lambda done: self._request_handshake(number, done))

    def send(self, number: int, request: bytes) -> None:
        """Call the actor."""
        self._call(number, lambda: self._actors[number].handle(request))

    def receive(self, timeout: float) -> list[Received]:
        """Return the replies that have arrived, waiting for the first."""
        return self._reply_queue.take(timeout)

    def stop_agent(self, number: int) -> None:
        """Release the actor: Dask forgets it, and it kills its workers when no more requests arrive."""
        self._actors.pop(number, None)
        future = self._futures.pop(number)
        future.cancel(force=True)

    def close(self) -> None:
        """Release every actor and disconnect."""
        for number in list(self._futures):
            self.stop_agent(number)
        self._exits.close()

    def _request_handshake(self, number: int, future: Any) -> None:  # noqa: ANN401  # Dask's
        """Request the handshake of an actor that has started. Called in one of Dask's threads."""

        def handshake() -> Any:  # noqa: ANN401  # Dask's
            actor = self._actors[number] = future.result()
            return actor.handshake()

        if number in self._futures:
            self._call(number, handshake)

    def _call(self, number: int, call: Callable[[], Any]) -> None:
        """Call an actor, and queue its reply or error when it arrives."""
        try:
            with self._client.as_current():  # an actor looks for the current client, wherever it is called
                pending = call()
        except Exception as error:  # noqa: BLE001  # after any error the node is lost to us
            self._reply_queue.put(number, error)
            return
        self._client.loop.add_callback(self._await, number, pending)

    async def _await(self, number: int, pending: Any) -> None:  # noqa: ANN401  # Dask's
        try:
            self._reply_queue.put(number, await pending)
        except Exception as error:  # noqa: BLE001  # after any error the node is lost to us
            self._reply_queue.put(number, error)


def _local_cluster(distributed: Any, cores: int) -> Any:  # noqa: ANN401  # the module and its cluster, untyped
    """Return a cluster of one worker within this process: no port is opened, and crashes stay in the pool's processes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a warning that this machine has no route to the internet
        return distributed.LocalCluster(n_workers=1, threads_per_worker=cores, processes=False, dashboard_address=None)
