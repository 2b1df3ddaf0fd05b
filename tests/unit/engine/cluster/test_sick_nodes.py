"""A node that fails tasks which others complete: its failures are not final, no task is blamed, and it is suspended."""

from contextlib import closing

import pytest
from msgspec.structs import replace

from pixmill.core.errors import RunError, may_be_the_machine
from pixmill.engine.cluster.backend import NodeSlot
from pixmill.engine.cluster.messages import decode_reply, encode
from pixmill.engine.cluster.node_agent import NodeAgent
from pixmill.engine.events import NodeRefused, NodeSuspended, TaskRetried
from pixmill.engine.executor import Completed, Notification
from pixmill.engine.policy import Policy
from pixmill.engine.probe import Probe
from pixmill.engine.runner import open_run
from pixmill.engine.task import Attempt, Done, Failed, Failure, Task
from pixmill.testing.executors import answers, attempts, returned, run_all
from pixmill.testing.faulty_handlers import REF
from support.loopback_cluster import LoopbackBackend, LoopbackExecutor

ONE, TWO, THREE = (NodeSlot(str(number), f"10.0.0.{number}", 1) for number in (1, 2, 3))
AWAY = Failure(code="read-vanished", stage="read", message="it is not there")
FULL = Failure(code="disk-full", stage="write", message="no space is left", fatal=True)


class SickAgent(NodeAgent):
    """An agent on a machine where every task fails."""

    failure = AWAY

    def handle(self, request):
        reply = decode_reply(super().handle(request))
        return encode(replace(reply, results=tuple(replace(answer, result=b"", failure=self.failure) for answer in reply.results)))


class FullDiskAgent(SickAgent):
    failure = FULL


class HalfSickAgent(SickAgent):
    """An agent on a machine where every second task fails, so that what it says of the others is believed."""

    def __init__(self):
        super().__init__()
        self.ended = 0

    def handle(self, request):
        reply = decode_reply(NodeAgent.handle(self, request))
        results = []
        for result in reply.results:
            self.ended += 1
            results.append(result if self.ended % 2 else replace(result, result=b"", failure=self.failure))
        return encode(replace(reply, results=tuple(results)))


class MixedBackend(LoopbackBackend):
    """A cluster with agents of several kinds, by the names of their slots."""

    def __init__(self, *slots, **kinds):
        super().__init__(*slots)
        self.kinds = kinds

    def start_agent(self, number, slot, cores):
        self.kind = self.kinds.get(f"at_{slot.name}", NodeAgent)
        super().start_agent(number, slot, cores)


def started(backend, **choices):
    executor = LoopbackExecutor(backend, **choices)
    executor.start(REF, Policy())
    return closing(executor)


def tasks(payload, count):
    return [Attempt(Task.of(f"{payload}-{number}", payload.encode())) for number in range(count)]


def notified(reports, kind):
    return [report.fields for report in reports if isinstance(report, Notification) and report.kind is kind]


def failures(reports):
    return [report.failure for report in reports if isinstance(report, Completed) and report.failure]


@pytest.mark.parametrize("kind", [SickAgent, FullDiskAgent])
def test_tasks_that_fail_on_only_one_node_are_completed_by_another_and_the_node_is_suspended(kind):
    with started(MixedBackend(ONE, TWO, at_2=kind)) as executor:
        reports = run_all(executor, tasks("sleep 0.01", 100))
        assert failures(reports) == []
        (suspension,) = notified(reports, NodeSuspended)
        assert suspension["node"] == TWO.label
        assert suspension["reason"] == "5 of its last 5 tasks failed there and succeeded on other nodes"
        assert {fields["failure"].node for fields in notified(reports, TaskRetried)} == {TWO.label}
        assert executor.workers == 1
        more = run_all(executor, tasks("sleep 0.02", 20))
    assert {report.node for report in more if isinstance(report, Completed)} == {ONE.label}
    assert notified(more, TaskRetried) == []


def test_two_sick_nodes_of_three_cannot_outvote_the_one_that_does_the_work():
    with started(MixedBackend(ONE, TWO, THREE, at_2=SickAgent, at_3=SickAgent)) as executor:
        reports = run_all(executor, tasks("sleep 0.01", 100))
    assert failures(reports) == []
    assert {fields["node"] for fields in notified(reports, NodeSuspended)} == {TWO.label, THREE.label}


def test_a_failure_that_two_nodes_agree_on_is_final_after_one_attempt_and_names_the_last():
    with started(LoopbackBackend(ONE, TWO)) as executor:
        reports = run_all(executor, attempts("raise eio"))
    (answer,) = answers(reports).values()
    (retry,) = notified(reports, TaskRetried)
    assert answer.attempt.number == 1
    assert {answer.failure.node, retry["failure"].node} == {ONE.label, TWO.label}


def test_slots_on_one_host_do_not_confirm_each_other_while_there_is_another_host():
    two = [NodeSlot(f"2{letter}", "10.0.0.2", 1, shared_host="10.0.0.2") for letter in "abc"]
    kinds = {f"at_{slot.name}": HalfSickAgent for slot in two}
    with started(MixedBackend(ONE, *two, **kinds)) as executor:
        reports = run_all(executor, tasks("sleep 0.01", 60))
    assert failures(reports) == []
    assert len([report for report in reports if isinstance(report, Completed)]) == 60
    assert {fields["failure"].node for fields in notified(reports, TaskRetried)} == {"10.0.0.2"}


def test_a_slot_that_fails_what_another_slot_of_the_only_host_completes_is_suspended():
    """As on a machine of which one GPU is broken."""
    one, two = (NodeSlot(f"1/{number}", "10.0.0.1", 1, shared_host="10.0.0.1") for number in (0, 1))
    backend = MixedBackend(one, two)
    backend.kinds = {f"at_{two.name}": SickAgent}
    with started(backend) as executor:
        reports = run_all(executor, tasks("sleep 0.01", 60))
    assert failures(reports) == []
    assert len(notified(reports, NodeSuspended)) == 1


def test_the_failures_of_the_only_node_are_final():
    with started(MixedBackend(ONE, at_1=SickAgent)) as executor:
        reports = run_all(executor, tasks("echo x", 3))
    assert [failure.code for failure in failures(reports)] == ["read-vanished"] * 3
    assert notified(reports, NodeSuspended) == []


def test_a_node_whose_failures_are_the_tasks_own_is_not_suspended():
    with started(LoopbackBackend(ONE, TWO)) as executor:
        reports = run_all(executor, tasks("raise eio", 40))
    assert len(failures(reports)) == 40
    assert notified(reports, NodeSuspended) == []


def test_a_task_that_waits_for_a_node_that_leaves_is_decided_by_those_that_stay():
    backend = MixedBackend(ONE, TWO, at_2=SickAgent)
    first, second = attempts("sleep 100", "echo x")
    with started(backend) as executor:
        executor.submit([first, second])
        reports = []
        while not notified(reports, TaskRetried):  # the second has failed on the sick node, and waits behind the first on the other
            reports += executor.wait(0.1)
        backend.slots_present.remove(ONE)
        while not any(returned(report) for report in reports):
            reports += executor.wait(0.1)
        assert set(*(returned(report) for report in reports if returned(report))) == {first, second}
        assert [failure.node for failure in failures(run_all(executor, [second]))] == [TWO.label]


def test_a_run_over_a_sick_node_blames_no_task_and_counts_no_try():
    seen = []

    class Recorder:
        def on_event(self, event):
            seen.append(event)

        def close(self):
            pass

    executor = LoopbackExecutor(MixedBackend(ONE, TWO, at_2=SickAgent))
    stream = [Task.of(f"{number}", b"sleep 0.01") for number in range(60)]
    with open_run(stream, REF, executor=executor, observers=[Recorder()]) as run:
        outcomes = list(run)
    assert all(isinstance(outcome, Done) and outcome.attempts == 1 and outcome.node == ONE.label for outcome in outcomes)
    assert len(outcomes) == 60
    assert [event.node for event in seen if isinstance(event, NodeSuspended)] == [TWO.label]


def test_a_final_failure_names_its_node():
    executor = LoopbackExecutor(LoopbackBackend(ONE))
    with open_run([Task.of("x", b"raise eio")], REF, executor=executor, policy=Policy(attempts=1)) as run:
        (outcome,) = run
    assert isinstance(outcome, Failed)
    assert outcome.failure.node == ONE.label


@pytest.mark.parametrize("code", ["read", "read-denied", "write", "handler", "config", "missing-extra", "disk-full", "new"])
def test_what_may_be_the_machine(code):
    assert may_be_the_machine(code)


@pytest.mark.parametrize("code", ["decode", "truncated", "unsupported", "limit-pixels", "limit-memory", "limit-bytes", "throttled"])
def test_what_is_the_same_everywhere(code):
    assert not may_be_the_machine(code)


class ExpectedEvidence(Probe):
    """Admits agents that return the expected evidence."""

    function = "builtins:bytes"

    def __init__(self, options, expected):
        self.options, self.expected = options, expected

    def check(self, evidence):
        if evidence != self.expected:
            raise RunError(f"it shows {evidence!r}", hint="show more")


class BlindAgent(NodeAgent):
    """An agent on a machine that cannot provide the evidence."""

    def handle(self, request):
        reply = decode_reply(super().handle(request))
        return encode(replace(reply, evidence=b"nothing" if reply.evidence else b""))


def probed(backend, probe):
    executor = LoopbackExecutor(backend)
    executor.admit_by(probe)
    executor.start(REF, Policy())
    return closing(executor)


def test_a_node_that_fails_the_probe_is_left_out_and_the_others_work():
    with probed(MixedBackend(ONE, TWO, at_2=BlindAgent), ExpectedEvidence(b"all", b"all")) as executor:
        assert executor.workers == 1
        reports = run_all(executor, tasks("echo x", 20))
    (refusal,) = notified(reports, NodeRefused)
    assert refusal == {"node": TWO.label, "reason": "it shows b'nothing'", "hint": "show more"}
    assert {report.node for report in reports if isinstance(report, Completed)} == {ONE.label}


def test_a_cluster_whose_nodes_all_fail_the_probe_is_refused_with_the_reason_of_each():
    executor = LoopbackExecutor(MixedBackend(ONE, TWO, at_1=BlindAgent, at_2=BlindAgent))
    executor.admit_by(ExpectedEvidence(b"all", b"all"))
    with closing(executor), pytest.raises(RunError) as end:
        executor.start(REF, Policy())
    assert end.value.message == f"nodes {ONE.label}, {TWO.label} are refused: it shows b'nothing'"
    assert end.value.hint == "show more"


def test_a_node_that_cannot_run_the_probe_is_left_out():
    probe = ExpectedEvidence(b"all", b"all")
    probe.function = "no_such_module:answer"
    executor = LoopbackExecutor(LoopbackBackend(ONE))
    executor.admit_by(probe)
    with closing(executor), pytest.raises(RunError, match="there is no Python module no_such_module"):
        executor.start(REF, Policy())
