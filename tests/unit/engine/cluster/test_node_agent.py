"""The actor on a node, spoken to directly."""

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
def engaged(*, handler=REF, silence=60.0, cores=1, workers=None):
    host = NodeAgent()
    say = lambda letter: decode_reply(host.handle(encode(letter)))  # noqa: E731  # shorter than a function
    say(StartPool.of(handler, Policy(), cores=cores, workers=workers, silence=silence))
    try:
        yield say
    finally:
        say(Shutdown())


def requests(*payloads):
    return tuple(enumerate(attempts(*payloads), start=100))


def until(say, condition, letter=None):
    """Write until the replies together meet ``condition``."""
    replies = [say(letter or RunTasks(patience=0.1))]
    wait_until(lambda: condition(replies) or replies.append(say(RunTasks(patience=0.1))), seconds=60)
    return replies


def test_its_first_word_is_what_it_runs():
    assert decode_versions(NodeAgent().handshake()) == Versions.here()


def test_it_answers_by_the_number_of_the_lease():
    with engaged() as say:
        letter = RunTasks(requests=requests("echo a", "echo b"), patience=0.1)
        replies = until(say, lambda replies: sum(len(reply.results) for reply in replies) == 2, letter)
    assert {answer.number: answer.result for reply in replies for answer in reply.results} == {100: b"echo a", 101: b"echo b"}


def test_it_gives_back_what_has_not_begun_and_keeps_what_has():
    with engaged() as say:
        replies = until(say, lambda replies: replies[-1].statuses[0].key, RunTasks(requests=requests("sleep 30", *["echo x"] * 20)))
        replies += until(say, lambda more: sum(len(reply.returned) for reply in more) == 20, RunTasks(cancel=True))
    assert sorted(number for reply in replies for number in reply.returned) == list(range(101, 121))


def test_it_ends_its_workers_when_nobody_writes_any_more_and_says_so_to_who_does():
    with engaged(silence=0.5) as say:
        (answer,) = say(RunTasks(requests=requests("pid"), patience=60)).results
        wait_until(lambda: not is_alive(int(answer.result)), seconds=60)
        reply = say(RunTasks(requests=requests("echo x")))
    assert reply.error is not None
    assert reply.error.code == NODE_LOST


def test_workers_that_cannot_start_are_trouble_in_their_own_words():
    with engaged(handler=HandlerRef("pixmill.testing.faulty_handlers:broken")) as say:
        replies = until(say, lambda replies: replies[-1].error)
    assert "libtrouble" in replies[-1].error.message


def test_it_tells_what_a_try_may_use_that_runs_alone():
    with engaged(cores=2) as say:
        assert say(RunTasks()).memory > 0


def test_there_are_more_workers_than_cores_where_they_wait_for_a_network_unless_it_is_told_how_many():
    with engaged(handler=replace(REF, per_core=3), cores=2) as say:
        assert say(RunTasks()).workers == max(2, min(6, usable_memory() // BYTES_PER_WORKER))
    with engaged(handler=replace(REF, per_core=3), cores=2, workers=2) as say:
        assert say(RunTasks()).workers == 2
