"""Workers on a Dask cluster: one actor in each of its worker processes, with as many workers as that has threads."""

import os
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from typing import Any
from uuid import uuid4

from pixmill.core.errors import MissingExtra, RunError
from pixmill.engine.cluster.backend import ClusterBackend, NodeSlot, Received, ReplyQueue
from pixmill.engine.cluster.executor import ClusterExecutor
from pixmill.engine.cluster.node_agent import NodeAgent
from pixmill.engine.resources.cpu import usable_cores

_CONNECTING = 20.0


class DaskExecutor(ClusterExecutor):
    """Runs attempts on the Dask cluster whose scheduler is at ``address``, else at ``DASK_SCHEDULER_ADDRESS``.

    Where there is neither, a Dask worker inside this process does it.
    """

    def open_backend(self, address: str | None, workers: int | None) -> ClusterBackend:
        """Connect, or start."""
        try:
            return DaskBackend(address or os.environ.get("DASK_SCHEDULER_ADDRESS"), workers or usable_cores())
        except ImportError:
            raise MissingExtra("dask", "--executor dask") from None


class DaskBackend(ClusterBackend):
    """The worker processes of a Dask cluster, as sites."""

    def __init__(self, address: str | None, cores: int) -> None:
        """Connect to ``address``; ``None`` for a cluster of our own with ``cores`` threads."""
        import distributed  # noqa: PLC0415  # an extra

        self._reply_queue = ReplyQueue()
        self._futures: dict[int, Any] = {}
        self._actors: dict[int, Any] = {}
        self._run, self._serial = uuid4().hex, count()
        with ExitStack() as exits:
            place = address or exits.enter_context(_local_cluster(distributed, cores))
            try:
                client = distributed.Client(place, timeout=_CONNECTING, set_as_default=False)
            except (OSError, ValueError) as error:
                message = f"no Dask scheduler answers at {address}: {error}"
                raise RunError(message, hint="is --address (or DASK_SCHEDULER_ADDRESS) right?") from error
            self._client = exits.enter_context(client)
            self._exits = exits.pop_all()

    def sites(self) -> list[NodeSlot]:
        """Return the worker processes that the scheduler knows."""
        try:
            workers = self._client.nthreads()
        except (OSError, TimeoutError, ValueError) as error:
            raise RunError(f"the Dask scheduler does not answer any more: {error}", hint="run again to go on") from error
        return [NodeSlot(address, address.rpartition("//")[2], threads) for address, threads in workers.items()]

    def start_agent(self, number: int, site: NodeSlot, cores: int) -> None:
        """Start the actor in its worker process, and nowhere else. Dask sets no cores aside: they are the process' own."""
        del cores
        key = f"pixmill-{self._run}-{next(self._serial)}"
        future = self._client.submit(NodeAgent, workers=[site.name], allow_other_workers=False, actor=True, key=key)
        self._futures[number] = future
        future.add_done_callback(lambda done: self._greet(number, done))

    def send(self, number: int, letter: bytes) -> None:
        """Call the actor."""
        self._call(number, lambda: self._actors[number].handle(letter))

    def receive(self, timeout: float) -> list[Received]:
        """Take the replies that have come in, waiting for the first."""
        return self._reply_queue.take(timeout)

    def drop(self, number: int) -> None:
        """Let go of the actor: Dask forgets it, and it ends its workers when it hears no more from us."""
        self._actors.pop(number, None)
        future = self._futures.pop(number)
        future.cancel(force=True)

    def close(self) -> None:
        """Let go of every actor and disconnect."""
        for number in list(self._futures):
            self.drop(number)
        self._exits.close()

    def _greet(self, number: int, future: Any) -> None:  # noqa: ANN401  # Dask's
        """Ask an actor that has come up for its hello. Called in a thread of Dask's."""

        def handshake() -> Any:  # noqa: ANN401  # Dask's
            actor = self._actors[number] = future.result()
            return actor.handshake()

        if number in self._futures:
            self._call(number, handshake)

    def _call(self, number: int, call: Callable[[], Any]) -> None:
        """Make a call of an actor, and put what comes of it into the letterbox."""
        try:
            with self._client.as_current():  # an actor asks for it, wherever it is called
                pending = call()
        except Exception as error:  # noqa: BLE001  # whatever it is, the node is lost for us
            self._reply_queue.put(number, error)
            return
        self._client.loop.add_callback(self._await, number, pending)

    async def _await(self, number: int, pending: Any) -> None:  # noqa: ANN401  # Dask's
        try:
            self._reply_queue.put(number, await pending)
        except Exception as error:  # noqa: BLE001  # whatever it is, the node is lost for us
            self._reply_queue.put(number, error)


def _local_cluster(distributed: Any, cores: int) -> Any:  # noqa: ANN401  # the module and its cluster, untyped
    """Return a cluster of one worker within this process: nothing listens, the crashes are those of the pool's processes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # that this machine has no route to the internet
        return distributed.LocalCluster(n_workers=1, threads_per_worker=cores, processes=False, dashboard_address=None)
