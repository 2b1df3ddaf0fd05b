"""The files of the state: never through a link, never those of a stranger, and always whole."""

import os

import pytest

from pixmill.batch.state import state_folder
from pixmill.core.errors import RunError

STRANGER = 12345
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="giving files away needs root")
DATABASES = ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.sqlite-journal", "catalogue.sqlite-wal"]
FILES = ["lock", "output-id", "identity", "brought", "heartbeat", "report.html"]
FOLDERS = ["runs", "parts", "staging-3of16", "shard-3-of-16"]


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "out" / ".pixmill"
    state_folder.make(folder)
    return folder


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "victim"
    path.write_bytes(b"precious")
    yield path
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize("name", [*DATABASES, *FILES, *FOLDERS])
def test_a_link_among_the_files_of_the_state_is_refused_in_words(state, victim, name):
    (state / name).symlink_to(victim)
    with pytest.raises(RunError, match=f"{name} is a link") as refused:
        state_folder.check(state)
    assert refused.value.code == "state-untrusted"


@pytest.mark.parametrize("flags", [os.O_RDWR | os.O_CREAT, os.O_RDONLY, os.O_WRONLY | os.O_TRUNC])
def test_no_file_is_opened_through_a_link(state, victim, flags):
    (state / "lock").symlink_to(victim)
    with pytest.raises(RunError, match="is a link"):
        state_folder.open_file(state, "lock", flags)


def test_a_link_that_leads_nowhere_makes_no_file_there(state, tmp_path):
    (state / "lock").symlink_to(tmp_path / "made")
    with pytest.raises(RunError, match="is a link"):
        state_folder.open_file(state, "lock", os.O_RDWR | os.O_CREAT)
    assert not (tmp_path / "made").exists()


def test_a_second_name_of_a_foreign_file_is_read_and_not_written(state, victim):
    os.link(victim, state / "lock")
    assert state_folder.read(state, "lock") == b"precious"
    with pytest.raises(RunError, match="has another hard link"):
        state_folder.open_file(state, "lock", os.O_RDWR)
    (state / "lock").rename(state / "ledger.sqlite-wal")
    with pytest.raises(RunError, match="has another hard link"):
        state_folder.refuse_hard_links(state, "ledger.sqlite")


def test_the_folder_itself_may_be_no_link_where_pixmill_has_named_it(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".pixmill").symlink_to(elsewhere)
    for attempt in (state_folder.make, state_folder.check):
        with pytest.raises(RunError, match="is a link") as refused:
            attempt(tmp_path / "out" / ".pixmill")
        assert "--state" in refused.value.hint
    assert not list(elsewhere.iterdir())


def test_a_folder_that_the_user_has_named_may_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "named").symlink_to("real")
    state_folder.make(tmp_path / "named")
    state_folder.write(tmp_path / "named", "brought", b"x")
    assert (tmp_path / "real" / "brought").read_bytes() == b"x"
    (tmp_path / "real" / "shard-1-of-2").symlink_to(tmp_path)
    with pytest.raises(RunError, match="is a link"):
        state_folder.make(tmp_path / "named" / "shard-1-of-2")


def test_what_else_is_in_a_folder_that_the_user_has_named_is_his(tmp_path):
    (tmp_path / "notes").symlink_to(tmp_path)
    state_folder.check(tmp_path)
    state_folder.describe(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


@needs_root
def test_a_file_of_a_stranger_is_refused_and_one_of_the_folders_owner_is_not(state):
    state_folder.write(state, "brought", b"x")
    os.chown(state / "brought", STRANGER, -1)
    for attempt in (lambda: state_folder.check(state), lambda: state_folder.read(state, "brought")):
        with pytest.raises(RunError, match="belongs to user 12345") as refused:
            attempt()
        assert "chown" in refused.value.hint
        assert "--state" in refused.value.hint
    os.chown(state.parent, STRANGER, -1)
    state_folder.check(state)
    assert state_folder.read(state, "brought") == b"x"


@needs_root
def test_a_state_folder_that_a_stranger_has_made_is_refused(state):
    os.chown(state, STRANGER, -1)
    with pytest.raises(RunError, match="belongs to user 12345"):
        state_folder.make(state)


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(state):
    os.mkfifo(state / "lock")
    with pytest.raises(RunError, match="not a regular file"):
        state_folder.open_file(state, "lock", os.O_RDWR)


def test_a_file_is_written_in_the_place_of_whatever_has_its_name(state, victim):
    (state / "heartbeat").symlink_to(victim)
    state_folder.write(state, "heartbeat", b"alive")
    assert state_folder.read(state, "heartbeat") == b"alive"
    assert [path.name for path in state.iterdir()] == ["heartbeat"]


def test_a_folder_within_is_made_and_is_no_link(state, tmp_path):
    state_folder.make_within(state, "runs")
    state_folder.make_within(state, "runs")
    (state / "runs").rmdir()
    (state / "runs").symlink_to(tmp_path)
    with pytest.raises(RunError, match="runs is a link"):
        state_folder.make_within(state, "runs")
    with pytest.raises(RunError, match="runs is a link"):
        state_folder.write(state, "runs/00000001.json", b"{}")
    assert not (tmp_path / "00000001.json").exists()


def test_a_folder_that_is_not_there_is_no_reason_for_distrust(tmp_path):
    state_folder.check(tmp_path / "out" / ".pixmill")
    with pytest.raises(FileNotFoundError):
        state_folder.read(tmp_path / "out" / ".pixmill", "brought")
