"""The actor on a node, called directly."""

from contextlib import contextmanager

from msgspec.structs import replace

from pixmill.engine.cluster.messages import RunTasks, Shutdown, StartPool, Versions, decode_reply, decode_versions, encode
from pixmill.engine.cluster.node_agent import NODE_LOST, NodeAgent
from pixmill.engine.handler import HandlerRef
from pixmill.engine.policy import Policy
from pixmill.engine.resources.memory import BYTES_PER_WORKER, usable_memory
from pixmill.testing.executors import attempts
from pixmill.testing.faulty_handlers import REF
from support.processes import is_alive, wait_until


@contextmanager
def started(*, handler=REF, silence=60.0, cores=1, workers=None):
    agent = NodeAgent()
    send = lambda request: decode_reply(agent.handle(encode(request)))  # noqa: E731  # shorter than a function
    send(StartPool.of(handler, Policy(), cores=cores, workers=workers, silence=silence))
    try:
        yield send
    finally:
        send(Shutdown())


def requests(*payloads):
    return tuple(enumerate(attempts(*payloads), start=100))


def until(send, condition, request=None):
    """Send requests until the replies together meet ``condition``."""
    replies = [send(request or RunTasks(timeout=0.1))]
    wait_until(lambda: condition(replies) or replies.append(send(RunTasks(timeout=0.1))), seconds=60)
    return replies


def test_its_handshake_is_its_versions():
    assert decode_versions(NodeAgent().handshake()) == Versions.here()


def test_it_answers_by_the_number_of_the_lease():
    with started() as send:
        request = RunTasks(requests=requests("echo a", "echo b"), timeout=0.1)
        replies = until(send, lambda replies: sum(len(reply.results) for reply in replies) == 2, request)
    assert {answer.number: answer.result for reply in replies for answer in reply.results} == {100: b"echo a", 101: b"echo b"}


def test_it_returns_attempts_that_have_not_started_and_keeps_the_others():
    with started() as send:
        replies = until(
            send, lambda replies: replies[-1].statuses[0].key, RunTasks(requests=requests("sleep 30", *["echo x"] * 20))
        )
        replies += until(send, lambda more: sum(len(reply.returned) for reply in more) == 20, RunTasks(cancel=True))
    assert sorted(number for reply in replies for number in reply.returned) == list(range(101, 121))


def test_it_kills_its_workers_when_no_more_requests_arrive_and_answers_later_ones_with_an_error():
    with started(silence=0.5) as send:
        (answer,) = send(RunTasks(requests=requests("pid"), timeout=60)).results
        wait_until(lambda: not is_alive(int(answer.result)), seconds=60)
        reply = send(RunTasks(requests=requests("echo x")))
    assert reply.error is not None
    assert reply.error.code == NODE_LOST


def test_workers_that_cannot_start_are_an_error_in_their_own_words():
    with started(handler=HandlerRef("pixmill.testing.faulty_handlers:broken")) as send:
        replies = until(send, lambda replies: replies[-1].error)
    assert "libtrouble" in replies[-1].error.message


def test_agents_of_one_node_share_its_memory():
    sharing = NodeAgent(), NodeAgent()
    shares = []
    for number, agent in enumerate(sharing, 1):
        policy = Policy(memory="4GB")
        request = StartPool.of(REF, policy, cores=1, workers=1, silence=60.0, sharing=number)
        try:
            shares.append(decode_reply(agent.handle(encode(request))).memory)
        finally:
            agent.handle(encode(Shutdown()))
    assert shares[1] < 0.55 * shares[0]


def test_it_reports_the_memory_that_an_exclusive_attempt_may_use():
    with started(cores=2) as send:
        assert send(RunTasks()).memory > 0


def test_there_are_more_workers_than_cores_for_handlers_that_wait_for_a_network_unless_their_number_is_given():
    with started(handler=replace(REF, per_core=3), cores=2) as send:
        assert send(RunTasks()).workers == max(2, min(6, usable_memory() // BYTES_PER_WORKER))
    with started(handler=replace(REF, per_core=3), cores=2, workers=2) as send:
        assert send(RunTasks()).workers == 2
