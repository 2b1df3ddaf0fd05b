import itertools
import os
from urllib.parse import urlsplit

import pytest

from pixmill.batch.state.remote.lease import RENEW_INTERVAL, TTL, Lease, LeaseRecord, read_lease
from pixmill.core.errors import RunError
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage
from pixmill.storage.schemes.s3 import S3Storage
from support.object_store_servers import BUCKET
from support.proxy import Faults, fault_proxy

numbers = itertools.count()


class Time:
    """A clock that goes on by what is slept; ``meanwhile`` happens during a pause."""

    def __init__(self):
        self.now = 1_000_000.0
        self.meanwhile = lambda: None

    def sleep(self, seconds):
        self.meanwhile()
        self.now += seconds


class Forgetful(S3Storage):
    """A store whose answer to a conditional put may be lost, so that the repeated put is refused."""

    forgets = False

    def compare_and_swap(self, path, data, *, expected):
        mark = super().compare_and_swap(path, data, expected=expected)
        return None if self.forgets else mark


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def storage(s3):
    return open_storage(f"s3://{s3}/leases/{next(numbers)}")


@pytest.fixture
def lease(storage, time):
    def make(holder):
        claim = LeaseRecord(holder=holder, host=f"host-of-{holder}", pid=7, since="today", renewed_at=0.0)
        return Lease(storage, b".pixmill/lease", claim, now=lambda: time.now, sleep=time.sleep)

    return make


def test_the_first_has_it_and_the_second_is_told_who(lease):
    assert lease("a").acquire() is None
    with pytest.raises(RunError, match="process 7 on host-of-a, since today") as raised:
        lease("b").acquire()
    assert raised.value.code == "locked"


def test_who_was_let_go_of_is_remembered(lease):
    first = lease("a")
    first.acquire()
    first.release()
    assert lease("b").acquire().holder == "a"


def test_a_dead_run_of_the_same_state_does_not_hold_up_the_next(lease, time):
    lease("a").acquire()
    began = time.now
    lease("a").acquire()
    assert time.now == began


def test_a_dead_owner_lets_it_run_out(lease, time):
    lease("a").acquire()
    time.now += TTL + 1
    began = time.now
    lease("b").acquire()
    assert time.now - began > RENEW_INTERVAL


def test_an_owner_whose_clock_is_slow_is_not_taken_for_dead(lease, time):
    slow = lease("a")
    slow.acquire()
    time.now += TTL + 1
    time.meanwhile = slow.renew
    with pytest.raises(RunError, match="host-of-a"):
        lease("b").acquire()


def test_who_lost_it_learns_so_at_the_next_sign_of_life(lease, time):
    first = lease("a")
    first.acquire()
    time.now += TTL + 1
    lease("b").acquire()
    with pytest.raises(RunError, match="host-of-b"):
        first.renew()


def test_of_two_who_take_over_at_once_one_succeeds(lease, time, storage):
    lease("dead").acquire()
    time.now += TTL + 1
    first, second = lease("a"), lease("b")
    time.meanwhile = lambda: (setattr(time, "meanwhile", lambda: None), second.acquire())
    with pytest.raises(RunError, match="host-of-b"):
        first.acquire()
    assert read_lease(storage, b".pixmill/lease")[0].holder == "b"


def test_an_answer_that_was_lost_does_not_cost_the_lock(time, s3):
    storage = Forgetful.open(Address.parse(f"s3://{s3}/leases/{next(numbers)}"), tag="0", follow_symlinks=False)
    first = Lease(
        storage, b"lease", LeaseRecord(holder="a", host="here", pid=7, since="today", renewed_at=0.0), now=lambda: time.now
    )
    first.acquire()
    storage.forgets = True
    first.renew()  # not answered: it reads what it has put
    assert read_lease(storage, b"lease")[0].beat == 2
    storage.forgets = False
    first.renew()
    assert read_lease(storage, b"lease")[0].renewed_at == time.now


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("first", [0, 1])
def test_a_store_that_loses_every_second_answer_does_not_cost_the_lock(time, monkeypatch, first):
    """Of a real store, behind a proxy; the requests before the lock decide whether the first answer is lost or the second."""
    upstream = urlsplit(os.environ["AWS_ENDPOINT_URL"]).port
    with fault_proxy(upstream, Faults(lost=2, kinds=frozenset({"put"}))) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        far = open_storage(f"s3://{BUCKET}/leases/far/{first}")
        for number in range(first):
            far.write(b"other %d" % number, b"1", durable=True)
        claim = LeaseRecord(holder="a", host="host-of-a", pid=7, since="today", renewed_at=0.0)
        lease = Lease(far, b".pixmill/lease", claim, now=lambda: time.now, sleep=time.sleep)
        lease.acquire()
        for _ in range(4):
            lease.renew()
        assert proxy.seen["lost"] > 2


def test_an_owner_that_was_away_for_long_has_it_again_if_nobody_else_took_it(lease, time, storage):
    first = lease("a")
    first.acquire()
    time.now += 10 * TTL
    first.renew()
    assert read_lease(storage, b".pixmill/lease")[0].renewed_at == time.now


def test_a_lock_that_was_removed_is_taken_again(lease, storage):
    first = lease("a")
    first.acquire()
    storage.delete(b".pixmill/lease")
    first.renew()
    assert read_lease(storage, b".pixmill/lease")[0].holder == "a"


@pytest.mark.parametrize("garbage", [b"garbage", b'{"holder": "\xff"}'])
def test_what_is_no_lock_is_replaced(lease, storage, garbage):
    storage.write(b".pixmill/lease", garbage, durable=True)
    assert lease("a").acquire() is None
    assert read_lease(storage, b".pixmill/lease")[0].holder == "a"
