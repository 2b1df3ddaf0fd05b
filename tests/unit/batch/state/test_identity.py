"""Each output has an identity, and tells its own temporaries by it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pixmill.batch.config.shard import Shard
from pixmill.batch.state import state_folder
from pixmill.batch.state.identity import OwnTags, ensure_identity, identity_of, own_tag
from pixmill.storage.local import temporary
from support.other_systems import python

CREATE_ON_MACOS = """
import fcntl
from pathlib import Path
from pixmill.batch.state.identity import ensure_identity
real, calls = fcntl.fcntl, []
fcntl.fcntl = lambda descriptor, call, *rest: (calls.append(call), real(descriptor, call, *rest))[1]
print(len(ensure_identity(Path.cwd())), calls.count(fcntl.F_FULLFSYNC))
"""
LARGEST = Shard(999_999_999, 999_999_999)


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "out" / ".pixmill"
    state_folder.make(folder)
    return folder


def test_an_identity_is_made_once_with_what_says_what_the_folder_is(state, tmp_path):
    made = ensure_identity(state)
    assert len(made) == 32
    assert ensure_identity(state) == identity_of(tmp_path / "out") == made
    assert sorted(path.name for path in state.iterdir()) == [".gitignore", "README", "output-id"]
    assert (state / ".gitignore").read_text() == "*\n"
    assert len((state / "README").read_text().splitlines()) == 2
    (state / "README").unlink()
    ensure_identity(state)
    assert not (state / "README").exists()


def test_shards_that_begin_at_once_agree_on_one(state):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ensure_identity, [state] * 64))) == 1
    assert not list(state.glob("*.tmp"))
    assert not list(state.glob(".output-id*"))


def test_what_is_no_identity_is_replaced(state):
    (state / "output-id").write_text("none")
    assert ensure_identity(state) == (state / "output-id").read_text().strip() != "none"


def test_on_macos_the_identity_and_its_name_are_synced_to_the_disk(tmp_path):
    assert python("macos", CREATE_ON_MACOS, cwd=tmp_path).stdout.split() == ["32", "2"]


def test_the_mark_of_a_shard_names_the_output_and_has_room(state):
    identity = ensure_identity(state)
    assert own_tag(state, Shard(3, 16)) == identity[:12] + "3of16"
    assert next(temporary.names(own_tag(state, LARGEST)))


def test_own_marks_are_told_from_those_of_other_outputs_and_shards(state):
    (state / "output-id").write_text("0123456789ab" + "0" * 20)
    every, some = OwnTags(state, None), OwnTags(state, [Shard(1, 4), Shard(3, 4)])
    assert "0123456789ab3of4" in every
    assert "0123456789ab3of4" in some
    assert "0123456789ab2of4" in every
    assert "0123456789ab2of4" not in some
    assert "3of4" in some, "former versions told no outputs apart"
    assert "2of4" not in some
    for foreign in ("ffffffffffff3of4", "1234567890123of4", "0000000000003of4", "123456789012" + "1of1", "0", "run1"):
        assert foreign not in every
        assert foreign not in some


def test_where_there_is_no_identity_the_shard_alone_is_the_mark(tmp_path):
    assert own_tag(tmp_path, Shard(3, 16)) == "3of16"
    assert "3of16" in OwnTags(tmp_path, None)
    assert "0123456789ab3of16" not in OwnTags(tmp_path, None)
