"""A lock that holds, tells who has it, and says in words why it cannot be had."""

import os
from pathlib import Path

import pytest

from pixmill.batch.state.lock import Lock
from pixmill.core.errors import RunError


def test_the_second_is_told_who_the_first_is(tmp_path):
    with Lock(tmp_path / "lock"), pytest.raises(RunError, match=f"process {os.getpid()} on ") as caught, Lock(tmp_path / "lock"):
        pass
    assert caught.value.code == "locked"


@pytest.mark.parametrize("damage", [b"", b"{", b'{"pid": 1, "host": "\xff", "since": ""}'])
def test_a_lock_that_says_nothing_of_its_owner_still_holds(tmp_path, damage):
    with Lock(tmp_path / "lock"):
        (tmp_path / "lock").write_bytes(damage)
        with pytest.raises(RunError) as caught, Lock(tmp_path / "lock"):
            pass
    assert caught.value.code == "locked"


def test_who_was_refused_can_come_back(tmp_path):
    with Lock(tmp_path / "lock"), pytest.raises(RunError), Lock(tmp_path / "lock"):
        pass
    with Lock(tmp_path / "lock"):
        assert (tmp_path / "lock").stat().st_size > 0


def test_those_who_share_do_not_keep_each_other_out_but_whoever_wants_it_alone(tmp_path):
    lock = tmp_path / "lock"
    with Lock(lock, shared=True), Lock(lock, shared=True), pytest.raises(RunError), Lock(lock):
        pass


def test_a_disk_that_is_full_keeps_the_name_out_and_the_lock_in():
    with Lock(Path("/dev/full")), pytest.raises(RunError, match="another run"), Lock(Path("/dev/full")):
        pass


def test_a_place_that_cannot_be_opened_is_an_error_in_words(tmp_path):
    with pytest.raises(RunError, match=r"the lock .*no-folder/lock cannot be used: No such file or directory"):
        Lock(tmp_path / "no-folder" / "lock").__enter__()
