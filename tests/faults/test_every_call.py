"""Every system call on the output fails once, for the first to the last of them, in every way that it can (S6, S7, S8)."""

import errno

import pytest

from support.fault_run import DONE, SOME_FAILED, STOPPED
from support.invariants import check_complete

FAULTS = {
    "fsync": (errno.EIO, errno.ENOSPC, errno.EDQUOT),
    "write": (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EINTR, "short"),
    "rename": (errno.EIO, errno.ENOSPC, errno.EDQUOT),
    "open": (errno.EMFILE, errno.ENOSPC, errno.EIO, errno.EINTR),
    "close": (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EINTR),
}
WHOLE = {errno.EINTR, "short"}  # nothing has gone wrong: it is to be called again
CASES = [(call, how) for call, hows in FAULTS.items() for how in hows]
NAMES = [f"{call}-{errno.errorcode.get(how, how)}" for call, how in CASES]
WORDS = ("--workers", "1", "--backoff", "0s")


def inject(begin, source, shim, *, call, how, number):
    """Run once with the ``number``-th call failing, hold the rest to the invariants, finish; return whether it fired."""
    attempt = begin(source, *WORDS)
    fault = shim(FAULT_UNDER=attempt.destination, FAULT_CALL=call, FAULT_HOW=how, FAULT_AT=number)
    ended = attempt.end(attempt.start(env=fault.environment))
    attempt.faults += fault.fired
    assert ended.code in (DONE, SOME_FAILED, STOPPED), ended
    if how in WHOLE and call != "close":
        assert ended.code == DONE, ended.err
    if how in (errno.ENOSPC, errno.EDQUOT):
        assert ended.code in (DONE, STOPPED), ended.err
    if ended.code == DONE:  # held to every invariant; a run after it would find nothing to do
        check_complete(attempt.destination, attempt.expected)
    else:
        attempt.retry()
        attempt.complete()
    return fault.fired > 0


@pytest.mark.row("S6", "S8")
@pytest.mark.parametrize(("call", "how", "number"), [
    ("fsync", errno.EIO, 6), ("write", errno.ENOSPC, 12), ("write", "short", 9), ("write", errno.EINTR, 10),
    ("rename", errno.EIO, 1), ("rename", errno.ENOSPC, 2), ("open", errno.EMFILE, 1), ("open", errno.EMFILE, 5),
    ("close", errno.EIO, 4),
])  # fmt: skip
def test_a_call_that_fails_once_costs_no_image(trial, gallery, shim, call, how, number):
    assert inject(trial, gallery(3), shim, call=call, how=how, number=number)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.row("S6", "S8")
@pytest.mark.parametrize(("call", "how"), CASES, ids=NAMES)
def test_each_call_in_turn_fails_and_costs_no_image(trial, gallery, shim, call, how):
    source = gallery(2)
    number = 1
    while inject(trial, source, shim, call=call, how=how, number=number):
        number += 1
    assert number > 2


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.row("S6", "P1", "P9")
@pytest.mark.parametrize("call", FAULTS)
def test_a_process_that_dies_at_each_call_in_turn_costs_no_image(trial, gallery, shim, call):
    number, fired = 1, True
    while fired:
        attempt = trial(gallery(2), *WORDS)
        fault = shim(FAULT_UNDER=attempt.destination, FAULT_CALL=call, FAULT_HOW="kill", FAULT_AT=number)
        attempt.end(attempt.start(env=fault.environment))
        attempt.faults += fault.fired
        fired = fault.fired > 0
        attempt.complete()
        number += 1


@pytest.mark.row("S7")
@pytest.mark.parametrize("how", [errno.ENOSPC, pytest.param(errno.EDQUOT, marks=pytest.mark.row("S3")), errno.EROFS])
def test_a_disk_that_stays_full_stops_the_run_with_one_message(trial, gallery, shim, how):
    attempt = trial(gallery(30), "--workers", "2")
    fault = shim(FAULT_UNDER=attempt.destination, FAULT_CALL="write", FAULT_HOW=how, FAULT_AT=30, FAULT_EVERY=1)
    ended = attempt.run(env=fault.environment)
    attempt.faults += fault.fired
    assert ended.code == STOPPED, ended
    attempt.complete()


@pytest.mark.row("S7")
def test_a_disk_that_always_fails_fails_images_by_name_or_stops_the_run(trial, gallery, shim):
    attempt = trial(gallery(12), *WORDS)
    fault = shim(FAULT_UNDER=attempt.destination, FAULT_CALL="rename", FAULT_HOW=errno.EIO, FAULT_AT=1, FAULT_EVERY=1)
    ended = attempt.run(env=fault.environment)
    attempt.faults += fault.fired
    assert ended.code in (SOME_FAILED, STOPPED)
    attempt.retry()
    attempt.complete()


@pytest.mark.row("S12")
def test_a_slow_disk_is_no_fault_of_an_image(trial, gallery, shim):
    attempt = trial(gallery(12), "--timeout", "5s")
    fault = shim(FAULT_UNDER=attempt.destination, FAULT_CALL="write", FAULT_HOW="slow", FAULT_AT=1, FAULT_EVERY=1)
    assert attempt.run(env=fault.environment).code == DONE
    attempt.faults += fault.fired
    assert fault.fired > 12
    attempt.complete()
