import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import monotonic, sleep

import pytest

from pixmill.core.errors import ReadError, RunError
from pixmill.storage.retry.limiter import AdaptiveLimiter
from pixmill.storage.retry.outage import OutagePolicy
from pixmill.storage.retry.policy import FIRST_CONTACT_DEADLINE, RetryBudget, RetryPolicy
from pixmill.storage.retry.storage import RetryingStorage
from pixmill.storage.schemes.memory import MemoryStorage


class Flaky(MemoryStorage):
    """A storage whose next calls fail with the given errors."""

    def __init__(self, *errors):
        super().__init__()
        self.errors = list(errors)

    def read(self, path, *, limit):
        if self.errors:
            raise self.errors.pop(0)
        return super().read(path, limit=limit)


class Time:
    """A clock that goes on by what is slept."""

    def __init__(self):
        self.now = 0.0
        self.pauses = []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def time():
    return Time()


def policy(time, **choices):
    return RetryPolicy(clock=time.clock, sleep=time.sleep, rng=random.Random(7), **choices)


def retrying(storage, time, **choices):
    storage.write(b"a", b"data", durable=False)
    return RetryingStorage(storage, policy(time, **choices))


def test_what_may_succeed_later_is_tried_again_after_a_pause(time):
    storage = retrying(Flaky(ReadError(retryable=True), ReadError(retryable=True)), time)
    assert storage.read(b"a", limit=10) == b"data"
    assert len(time.pauses) == 2
    assert 0 <= time.pauses[0] <= 0.1
    assert 0 <= time.pauses[1] <= 0.2


def test_pauses_are_spread_up_to_a_bound_that_doubles(time):
    errors = [ReadError(code="throttled", retryable=True) for _ in range(15)]
    retrying(Flaky(*errors), time, deadline=1e9).read(b"a", limit=10)
    assert len(set(time.pauses)) == 15
    assert max(time.pauses) <= 8.0
    assert max(time.pauses) > 4.0
    assert min(time.pauses[7:]) < 4.0


def test_the_error_is_raised_when_enough_time_has_passed(time):
    storage = retrying(Flaky(), time)
    storage.read(b"a", limit=10)
    storage._storage.errors = [ReadError(retryable=True)] * 1000
    with pytest.raises(ReadError):
        storage.read(b"a", limit=10)
    assert FIRST_CONTACT_DEADLINE < time.now <= 20.0


def test_a_storage_that_has_never_responded_has_a_shorter_deadline(time):
    with pytest.raises(ReadError):
        retrying(Flaky(*[ReadError(retryable=True)] * 1000), time).read(b"a", limit=10)
    assert time.now <= FIRST_CONTACT_DEADLINE


@pytest.mark.parametrize("error", [ReadError("corrupt"), RunError("full")])
def test_what_will_not_succeed_later_is_not_tried_again(time, error):
    with pytest.raises(type(error)):
        retrying(Flaky(error), time).read(b"a", limit=10)
    assert time.pauses == []


def test_a_requested_pause_is_respected(time):
    retrying(Flaky(ReadError(code="throttled", retryable=True, retry_after=3.0)), time).read(b"a", limit=10)
    assert 3.0 <= time.pauses[0] <= 3.1


def test_each_pause_is_reported_with_its_reason(time):
    codes = []
    errors = [ReadError(code="throttled", retryable=True), ReadError(retryable=True)]
    retrying(Flaky(*errors), time, on_pause=lambda error, _: codes.append(error.code)).read(b"a", limit=10)
    assert codes == ["throttled", "read"]


def test_retries_do_not_double_an_overload(time):
    retry_policy = policy(time)
    tried = []

    def refused():
        tried.append(None)
        raise ReadError(code="throttled", retryable=True)

    for _ in range(200):
        with pytest.raises(ReadError):
            retry_policy.call(refused)
    assert len(tried) <= 200 + RetryBudget.MAX_BALANCE


def test_the_limit_is_halved_when_a_request_is_refused_and_grows_back_a_little_with_each_answer(time):
    limiter = AdaptiveLimiter(8.0, clock=time.clock, sleep=time.sleep)
    limiter.on_throttled()
    limiter.on_throttled()
    assert limiter.limit == 2.0
    limiter.on_success()
    assert limiter.limit == 2.0 + AdaptiveLimiter.INCREASE
    for _ in range(1000):
        limiter.on_success()
    assert limiter.limit == 8.0


def test_no_more_requests_are_under_way_than_the_limit_allows_and_all_of_them_are_again_when_it_has_grown():
    limiter = AdaptiveLimiter(4.0, clock=monotonic, sleep=sleep)
    under_way, most = [], []
    together = Barrier(4, timeout=60)

    def request(meets):
        with limiter.slot():
            under_way.append(None)
            most.append(len(under_way))
            if meets:
                together.wait()
            under_way.pop()
        limiter.on_success()

    limiter.on_throttled()
    limiter.on_throttled()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(request, [False] * 8))
        assert max(most) <= 2  # the limit grows by a sixteenth with each
        for _ in range(64):
            limiter.on_success()
        list(pool.map(request, [True] * 8))
    assert max(most) == 4


def test_below_one_request_at_a_time_the_pauses_between_them_grow(time):
    limiter = AdaptiveLimiter(1.0, clock=time.clock, sleep=time.sleep)
    limiter.on_throttled()
    limiter.on_throttled()
    with limiter.slot():
        time.now += 1.0
    with limiter.slot():
        pass
    assert time.pauses == [3.0]


class Sick(MemoryStorage):
    """A storage that does not answer requests for ``broken``, and of all others only every ``of``-th."""

    def __init__(self, *, broken=b"", of=1):
        super().__init__()
        self.broken, self.of, self.number = broken, of, 0

    def _ask(self, path):
        self.number += 1
        if path == self.broken or self.number % self.of:
            raise ReadError("the connection failed (body)", code="unanswered", retryable=True)

    def read(self, path, *, limit):
        self._ask(path)
        return super().read(path, limit=limit)

    def stat(self, path):
        self._ask(path)
        return super().stat(path)


def code_of(storage, time):
    storage.write(b"a", b"data", durable=False)
    with pytest.raises(ReadError) as raised:
        RetryingStorage(storage, policy(time, deadline=5.0)).read(b"a", limit=10)
    assert raised.value.retryable
    return raised.value.code


def test_an_object_that_alone_is_not_answered_is_at_fault_itself(time):
    assert code_of(Sick(broken=b"a"), time) == "read"


@pytest.mark.parametrize("of", [3, 1000])
def test_no_object_is_at_fault_when_other_requests_are_not_answered_either(time, of):
    assert code_of(Sick(broken=b"a", of=of), time) == "unanswered"


def test_an_object_that_is_answered_after_all_is_read(time):
    storage = Sick()
    storage.write(b"a", b"data", durable=False)
    storage.broken = b"a"
    found = []

    def stat(path):
        found.append(path)
        storage.broken = b""

    storage.stat = stat
    assert RetryingStorage(storage, policy(time, deadline=5.0)).read(b"a", limit=10) == b"data"
    assert len(found) == RetryingStorage.PROBES


def test_an_outage_policy_waits_as_long_as_it_says_and_then_ends_the_run(time):
    outage = OutagePolicy(300.0, is_known=True, clock=time.clock)
    outage._sleep = time.sleep
    said = []

    def request():
        said.append(outage.waiting)
        raise ReadError("the connection failed (connect)", code="unreachable", retryable=True)

    with pytest.raises(RunError, match="has not recovered within 5:00: the connection failed") as raised:
        outage.call(request)
    assert raised.value.code == "unreachable"
    assert 280 < time.now <= 300
    assert (said[0], said[-1], outage.waiting) == ("", "the connection failed (connect)", "")


def test_a_store_that_has_never_responded_is_not_waited_for(time):
    outage = OutagePolicy(300.0, clock=time.clock)
    outage._sleep = time.sleep
    with pytest.raises(RunError):
        outage.call(lambda: (_ for _ in ()).throw(ReadError(code="unreachable", retryable=True)))
    assert time.now <= FIRST_CONTACT_DEADLINE
