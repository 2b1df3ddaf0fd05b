"""One run at a time on an output in a store, whatever the machine: a lock that its owner renews, and that runs out when it is dead.

The lock is one object, replaced only by conditional puts: of several who try at once, one succeeds. Clocks of machines need not
agree. What a clock says only decides whether it is worth while to watch an owner for a while; it is dead when it did not renew the
object meanwhile.
"""

import time
from collections.abc import Callable

import msgspec

from pixmill.core.errors import PixmillError, ReadError, RunError
from pixmill.core.validation import DECODE_ERRORS
from pixmill.storage.object_store.storage import ObjectStorage, ObjectVersion
from pixmill.storage.retry.policy import RetryPolicy

RENEW_INTERVAL = 20.0  # seconds between two signs of life
TTL = 90.0  # seconds without one after which an owner may be dead
REQUEST_TIMEOUT = 60.0  # seconds, retries of one request included
MAX_RECORD_BYTES = 1 << 16  # bytes of the object
_MAX_REFUSED_PUTS = 5  # of one sign of life, though nobody else has the lock


class LeaseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the object says. ``holder`` is the state of the owner, where the latest ledger is, also when the lock is ``free``.

    ``renewed_at`` is in seconds since the epoch, by the owner's clock; ``beat`` differs each time. ``recipe`` is that of a shard.
    """

    holder: str
    host: str
    pid: int
    since: str
    renewed_at: float
    beat: int = 0
    free: bool = False
    recipe: str = ""

    def __str__(self) -> str:
        """Return who the owner is, for a message."""
        return f"process {self.pid} on {self.host}, since {self.since}"


def is_alive(claim: LeaseRecord, now: float) -> bool:
    """Tell whether the owner of ``claim`` seems to be at work."""
    return not claim.free and now - claim.renewed_at <= TTL


def read_lease(storage: ObjectStorage, name: bytes) -> tuple[LeaseRecord | None, ObjectVersion | None]:
    """Return what the lock called ``name`` says now, and the mark of that; no claim when it was never taken or is not readable."""
    try:
        data, mark = RetryPolicy(deadline=REQUEST_TIMEOUT).call(lambda: storage.read_with_version(name, limit=MAX_RECORD_BYTES))
    except ReadError as error:
        if error.code == "read-vanished":
            return None, None
        raise
    try:
        return msgspec.json.decode(data, type=LeaseRecord), mark
    except DECODE_ERRORS:
        return None, mark


class Lease:
    """The lock called ``name`` in ``storage``, for ``mine``.

    Holding the local lock of the state is a precondition: so an owner with the same ``holder`` is a dead run of this very state.
    """

    def __init__(
        self,
        storage: ObjectStorage,
        name: bytes,
        mine: LeaseRecord,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Ask for nothing yet."""
        self._storage = storage
        self._name = name
        self._mine = mine
        self._now = now
        self._sleep = sleep
        self._mark: ObjectVersion | None = None
        self._retry_policy = RetryPolicy(deadline=REQUEST_TIMEOUT, is_budgeted=False, on_pause=self._note_pause)
        self.is_waiting = False  # for a store that is sick

    def acquire(self) -> LeaseRecord | None:
        """Take the lock; return what was there before. ``RunError`` ``locked`` names the owner when another run has it."""
        before, mark = read_lease(self._storage, self._name)
        if before and not self._is_over(before):
            raise _locked(before)
        if before and not before.free and before.holder != self._mine.holder:
            self._sleep(1.5 * RENEW_INTERVAL)
            again, mark = read_lease(self._storage, self._name)
            if again != before:
                raise _locked(again or before)
        self._replace(mark)
        return before

    def renew(self) -> None:
        """Give a sign of life, late or not; ``RunError`` ``locked`` when another run has taken the lock meanwhile."""
        self._replace(self._mark)

    def release(self) -> None:
        """Let the next one have it at once, who then knows where the latest ledger is."""
        if self._mark is not None:
            self._put(self._mark, free=True)
            self._mark = None

    def _replace(self, expected: ObjectVersion | None) -> None:
        """Put the object. A put that is refused may be one whose answer was lost, be it this one or an earlier one of ours."""
        mark = self._put(expected, free=False)
        for _ in range(_MAX_REFUSED_PUTS):
            if mark is not None:
                break
            claim, found = read_lease(self._storage, self._name)
            if claim is not None and not self._is_mine(claim):
                raise _locked(claim)
            mark = found if claim == self._mine else self._put(found, free=False)
        if mark is None:
            raise _locked(self._mine)
        self._mark = mark

    def _is_mine(self, claim: LeaseRecord) -> bool:
        """Tell whether ``claim`` was put by this very run, whose last put may have been another one."""
        return not claim.free and (claim.holder, claim.host, claim.pid, claim.since) == (
            self._mine.holder,
            self._mine.host,
            self._mine.pid,
            self._mine.since,
        )

    def _is_over(self, claim: LeaseRecord) -> bool:
        return claim.holder == self._mine.holder or not is_alive(claim, self._now())

    def _put(self, expected: ObjectVersion | None, *, free: bool) -> ObjectVersion | None:
        self._mine = msgspec.structs.replace(self._mine, renewed_at=self._now(), beat=self._mine.beat + 1, free=free)
        data = msgspec.json.encode(self._mine)
        try:
            return self._retry_policy.call(lambda: self._storage.compare_and_swap(self._name, data, expected=expected))
        finally:
            self.is_waiting = False

    def _note_pause(self, error: PixmillError, seconds: float) -> None:
        del error, seconds
        self.is_waiting = True


def _locked(owner: LeaseRecord) -> RunError:
    return RunError(
        f"another run is writing to the same output ({owner})",
        code="locked",
        hint=f"wait for it, or stop it; when that machine is dead, its lock runs out {TTL:.0f} s after its last sign of life",
    )
