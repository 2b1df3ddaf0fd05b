"""The CPU time of a worker is limited for each task, not for all of them together."""

import signal
import time
from contextlib import closing

import pytest

from pixmill.engine.forkserver.client import EXITED, ForkServer
from pixmill.engine.ipc.messages import TaskResult
from pixmill.engine.pool.prefetch import Prefetch
from pixmill.engine.pool.worker_handle import WorkerHandle
from pixmill.engine.task import Attempt, Task
from pixmill.testing.faulty_handlers import REF
from support.processes import wait_until

LIMIT = 1.0  # seconds, and up to three on top, for the kernel counts whole ones


@pytest.fixture
def fork_server():
    with closing(ForkServer(REF, processor_time=LIMIT)) as fork_server:
        yield fork_server


@pytest.fixture
def worker(fork_server):
    with closing(WorkerHandle.spawn(fork_server, 1, time.monotonic(), Prefetch())) as worker:
        yield worker


def send(worker, payload, times=1):
    worker.send_requests([Attempt(Task.of(f"{number}", payload)) for number in range(times)], time.monotonic())


@pytest.mark.slow
def test_each_task_has_the_full_limit(worker):
    send(worker, b"compute 0.7", times=8)
    answers = []

    def are_all_there():
        answers.extend(message for message in worker.receive() if isinstance(message, TaskResult))
        return len(answers) == 8 or worker.at_eof

    wait_until(are_all_there)
    assert [answer.number for answer in answers] == [*range(1, 9)]


@pytest.mark.slow
def test_the_kernel_ends_the_worker_that_computes_for_longer(fork_server, worker):
    send(worker, b"compute 60")
    ended = []
    while not ended:
        ended = [report.value for report in fork_server.events() if report.kind == EXITED]
    assert ended == [signal.SIGXCPU]
