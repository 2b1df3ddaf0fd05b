"""Nodes come, fall silent, differ and go; each attempt comes back exactly once."""

from contextlib import closing

import pytest

from pixmill.core.errors import RunError
from pixmill.engine.cluster.backend import NodeSlot
from pixmill.engine.cluster.messages import Versions, encode
from pixmill.engine.cluster.node_agent import NodeAgent
from pixmill.engine.events import NodeRefused
from pixmill.engine.executor import Completed, Lost, Notification, Returned
from pixmill.engine.policy import Policy
from pixmill.engine.task import Attempt, Task
from pixmill.testing.executors import answers, attempts, losses, returned, run_all
from pixmill.testing.faulty_handlers import REF
from support.loopback_cluster import LoopbackBackend, LoopbackExecutor
from support.processes import wait_until

ONE, TWO = NodeSlot("1", "10.0.0.1", 1), NodeSlot("2", "10.0.0.2", 1)


class OutdatedAgent(NodeAgent):
    """An agent on a machine with old versions."""

    def handshake(self):
        return encode(Versions("3.9", "0.0.1"))


class MissingAgent(NodeAgent):
    """An agent on a machine where pixmill is not installed."""

    def handshake(self):
        message = (
            "The actor died because of an error raised in its creation task\n...\nModuleNotFoundError: No module named 'pixmill'"
        )
        raise RuntimeError(message)


def started(backend, **options):
    executor = LoopbackExecutor(backend, **options)
    executor.start(REF, Policy())
    return closing(executor)


def wait_for(executor, condition):
    """Poll the executor until ``condition`` holds for its events."""
    reports = []

    def holds():
        reports.extend(executor.wait(0.02))
        return condition(reports)

    wait_until(holds, seconds=60)
    return reports


def test_work_is_spread_over_the_nodes():
    with started(LoopbackBackend(ONE, TWO)) as executor:
        assert executor.workers == 2
        pids = {answer.result for answer in run_all(executor, tasks("pid", 40)) if isinstance(answer, Completed)}
    assert len(pids) == 2


def test_no_more_workers_are_started_than_are_asked_for():
    with started(LoopbackBackend(NodeSlot("1", "one", 2), NodeSlot("2", "two", 2)), workers=3) as executor:
        assert executor.workers == 3


def test_worker_statuses_name_the_node():
    with started(LoopbackBackend(ONE)) as executor:
        executor.submit(tasks("sleep 30", 1))
        wait_for(executor, lambda _: any(status.key and status.node == ONE.label for status in executor.worker_statuses()))


def test_attempts_of_a_silent_node_come_back_when_its_lease_ends_and_its_late_replies_are_ignored():
    backend = LoopbackBackend(ONE)
    with started(backend, lease=4.0) as executor:
        run_all(executor, tasks("echo x", 5))
        wait_for(executor, lambda _: not any(node.awaiting_reply for node in executor._membership))
        backend.cut(ONE.name)
        backend.slots_present.append(TWO)
        todo = attempts("echo late")
        executor.submit(todo)
        reports = wait_for(executor, lambda reports: any(returned(report) for report in reports))
        assert [type(report) for report in reports] == [Lost, Returned]
        assert reports[0].attempt is None
        assert reports[0].failure.message.startswith(f"node {ONE.label}: no reply for")
        assert [answer.result for answer in backend.held_results(ONE.name)] == [b"echo late"]
        backend.mend(ONE.name)
        wait_for(executor, lambda _: executor.capacity())
        again = run_all(executor, todo)
        for _ in range(5):
            again += executor.wait(0.02)
    (answer,) = [report for report in again if isinstance(report, Completed)]
    assert answer.attempt == todo[0]


def test_a_node_that_joins_during_the_run_gets_work():
    backend = LoopbackBackend(ONE)
    with started(backend) as executor:
        executor.submit(tasks("sleep 30", 1))
        backend.slots_present.append(TWO)
        wait_for(executor, lambda _: executor.workers == 2)
        (other,) = attempts("pid")
        wait_for(executor, lambda _: executor.capacity() > 0)
        executor.submit([other])
        wait_for(executor, answers)


def test_a_task_that_is_lost_with_one_node_after_another_is_blamed_in_the_end():
    backend = LoopbackBackend(NodeSlot("0", "10.0.0.9", 1))
    (poison,) = attempts("sleep 60")
    seen = []
    with started(backend) as executor:
        for number in range(1, 4):
            wait_for(executor, lambda _: executor.capacity())
            executor.submit([poison])
            wait_for(executor, lambda _: executor.worker_statuses() and executor.worker_statuses()[0].key)
            backend.slots_present[:] = [NodeSlot(f"{number}", "10.0.0.9", 1)]
            seen.append(wait_for(executor, lambda reports: any(returned(report) for report in reports)))
    assert [any(isinstance(report, Returned) for report in reports) for reports in seen] == [True, True, False]
    (blamed,) = losses(seen[-1])
    assert blamed.failure.code == "node-lost"
    assert "3 nodes were lost" in blamed.failure.message


def test_a_node_with_other_versions_is_refused_with_the_reason():
    executor = LoopbackExecutor(LoopbackBackend(ONE, kind=OutdatedAgent))
    ours = Versions.here()
    sentence = (
        rf"node 10.0.0.1 is refused: it has Python 3.9 and pixmill 0.0.1, .* has Python {ours.python} and pixmill {ours.pixmill}"
    )
    with closing(executor), pytest.raises(RunError, match=sentence) as refusal:
        executor.start(REF, Policy())
    assert refusal.value.hint == "install the same on every node"


class LateBackend(LoopbackBackend):
    """A cluster whose second node joins when the first has been refused, after its listing has been read a few times."""

    listings = 0

    def slots(self):
        self.listings += 1
        if self.listings == 3:
            self.kind = NodeAgent
            self.slots_present.append(TWO)
        return super().slots()


def test_a_node_with_other_versions_that_comes_first_does_not_end_the_run_before_the_others_come():
    backend = LateBackend(ONE, kind=OutdatedAgent)
    with started(backend) as executor:
        assert backend.listings >= 3
        assert answers(run_all(executor, attempts("echo x")))
        assert executor.workers == 1


def test_a_node_with_other_versions_that_joins_later_is_left_out():
    backend = LoopbackBackend(ONE)
    with started(backend) as executor:
        backend.kind = OutdatedAgent
        backend.slots_present.append(TWO)
        reports = wait_for(executor, lambda reports: any(isinstance(report, Notification) for report in reports))
        (refusal,) = [report for report in reports if isinstance(report, Notification)]
        assert refusal.kind is NodeRefused
        assert refusal.fields["node"] == TWO.label
        assert "it has Python 3.9 and pixmill 0.0.1" in str(refusal.fields["reason"])
        assert executor.workers == 1
        assert answers(run_all(executor, attempts("echo x")))


def test_a_run_without_a_node_ends_after_a_while():
    backend = LoopbackBackend()
    executor = LoopbackExecutor(backend, no_nodes_timeout=0.3)
    with closing(executor), pytest.raises(RunError, match="no node of the cluster has been ready for"):
        executor.start(REF, Policy())


def test_an_agent_that_cannot_be_started_is_named_with_its_own_error():
    executor = LoopbackExecutor(LoopbackBackend(ONE, kind=MissingAgent), no_nodes_timeout=0.3)
    with closing(executor), pytest.raises(RunError, match=r"10\.0\.0\.1: ModuleNotFoundError: No module named 'pixmill'") as end:
        executor.start(REF, Policy())
    assert "is pixmill installed there" in end.value.hint


def test_attempts_that_wait_behind_a_long_task_go_to_an_idle_node():
    backend = LoopbackBackend(ONE)
    with started(backend) as executor:
        run_all(executor, tasks("sleep 0.01", 60))  # many wait at the node from now on
        first, *others = attempts("sleep 100", *["echo y"] * 20)
        executor.submit([first, *others[: executor.capacity() - 1]])
        wait_for(executor, lambda _: executor.worker_statuses()[0].key == first.task.key)
        waiting = sum(len(node.leases) for node in executor._membership) - 1
        assert waiting > 0
        backend.slots_present.append(TWO)
        wait_for(executor, lambda reports: len(answers_in(reports)) == waiting)


def test_a_node_that_the_cluster_no_longer_lists_is_lost_at_once():
    backend = LoopbackBackend(ONE, TWO)
    with started(backend) as executor:
        backend.slots_present.remove(TWO)
        reports = wait_for(executor, lambda _: executor.workers == 1)
    (loss,) = [report for report in reports if isinstance(report, Lost)]
    assert loss.failure.message == f"node {TWO.label}: it has left the cluster"


def tasks(payload, count):
    return [Attempt(Task.of(f"{payload}-{number}", payload.encode())) for number in range(count)]


def answers_in(reports):
    return [report for report in reports if isinstance(report, Completed)]
