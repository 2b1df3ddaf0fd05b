"""Workers on this machine, one process each: a crash, a hang or a kill costs only the task that it hits."""

from collections.abc import Sequence

from pixmill.core.errors import RunError
from pixmill.core.operating_system import require_processes
from pixmill.engine.executor import Executor, ExecutorEvent, WorkerStatus
from pixmill.engine.forkserver import prestart
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.status_file import StatusFile
from pixmill.engine.policy import Policy
from pixmill.engine.pool.pool import Pool
from pixmill.engine.resources.cpu import usable_cores
from pixmill.engine.resources.memory import workers_with_memory
from pixmill.engine.resources.pids import available_processes, workers_within_process_limit
from pixmill.engine.task import Attempt


class LocalExecutor(Executor):
    """Runs attempts in a ``Pool``. ``workers``: by default, the number of cores that this process may use."""

    def __init__(self, *, workers: int | None = None) -> None:
        """Start nothing yet."""
        self._workers = workers or usable_cores()
        self._pool: Pool | None = None
        self._status_file: StatusFile | None = None

    @property
    def workers(self) -> int:
        """Return the number of workers."""
        return self._workers

    def show_status_in(self, status_file: StatusFile) -> None:
        """Put the status pages of the workers into ``status_file``."""
        self._status_file = status_file

    def start(self, handler: HandlerRef, policy: Policy) -> None:
        """Start the workers without waiting for them; fewer if memory or the limit on processes and threads does not allow all."""
        require_processes("the executor local")
        available = available_processes()
        if available is not None and prestart.is_prestarted():
            available += 1  # the pre-started fork server already counts, and one is reserved for it
        wanted = workers_with_memory(self._workers, policy.memory, held=handler.held_memory)
        self._workers = workers_within_process_limit(wanted, threads=handler.threads, available=available)
        self._pool = Pool(handler, policy, workers=self._workers, status_file=self._status_file)

    def capacity(self) -> int:
        """Return how many more attempts may be submitted now."""
        return self._started.capacity()

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Queue attempts."""
        self._started.submit(attempts)

    def wait(self, timeout: float | None) -> list[ExecutorEvent]:
        """Return the events since the last call."""
        return self._started.wait(timeout)

    def worker_statuses(self) -> tuple[WorkerStatus, ...]:
        """Return the status of each worker."""
        return self._started.worker_statuses()

    def cancel_pending(self) -> None:
        """Take back the attempts that have not started."""
        self._started.cancel_pending()

    def close(self) -> None:
        """Kill and reap every worker."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    @property
    def _started(self) -> Pool:
        if self._pool is None:
            raise RunError("the executor has not been started")
        return self._pool
