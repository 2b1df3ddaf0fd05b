"""The state folder: others may be able to plant links and files there, and none of them is followed or trusted."""

import os
import shutil

import pytest

STRANGER = 12345
ASKING = [("status", "out"), ("failures", "out"), ("verify", "out"), ("report", "out"), ("retry", "out")]
ASKING += [("plan", "photos", "out"), ("run", "photos", "out")]
NAMES = ["lock", "ledger.sqlite-wal", "runs", "output-id"]


@pytest.fixture
def out(pixmill, photos, tmp_path):
    """An output with an image that failed, so that there is something to retry."""
    (photos / "bad.jpg").write_bytes(b"no picture")
    assert pixmill("run", "photos", "out", "--quiet").returncode == 1
    return tmp_path / "out"


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "victim"
    path.write_bytes(b"precious")
    yield path
    assert path.read_bytes() == b"precious"


def refused(ended):
    assert ended.returncode in (2, 3), ended.stderr
    assert "defect" not in ended.stderr
    assert "\n  " in ended.stderr, "there is a hint"
    return ended.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_run_refuses_a_link_in_its_state_and_touches_nothing(pixmill, out, victim, name):
    place = out / ".pixmill" / name
    shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    place.symlink_to(victim)
    assert f"{name} is a link" in refused(pixmill("run", "photos", "out"))
    assert place.is_symlink()


@pytest.mark.parametrize("line", ASKING, ids=lambda line: line[0])
def test_every_command_refuses_a_ledger_behind_a_link_and_one_of_a_stranger(pixmill, out, tmp_path, line):
    ledger = out / ".pixmill" / "ledger.sqlite"
    if os.geteuid() == 0:
        os.chown(ledger, STRANGER, -1)
        assert f"belongs to user {STRANGER}" in refused(pixmill(*line))
        os.chown(ledger, os.geteuid(), -1)
    shutil.move(ledger, tmp_path / "elsewhere")
    ledger.symlink_to(tmp_path / "elsewhere")
    before = (tmp_path / "elsewhere").read_bytes()
    assert "ledger.sqlite is a link" in refused(pixmill(*line))
    assert (tmp_path / "elsewhere").read_bytes() == before


def test_a_state_folder_that_is_a_link_is_refused_and_state_named_instead(pixmill, out, tmp_path):
    shutil.move(out / ".pixmill", tmp_path / "state")
    (out / ".pixmill").symlink_to(tmp_path / "state")
    for line in (("status", "out"), ("run", "photos", "out")):
        assert "--state" in refused(pixmill(*line))


def test_the_folder_of_state_may_be_a_link(pixmill, photos, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "named").symlink_to("real")
    assert pixmill("run", photos, "out", "--state", "named", "--quiet").returncode == 0
    assert pixmill("status", "out", "--state", "named").returncode == 0
    assert (tmp_path / "real" / "ledger.sqlite").is_file()
    assert not (tmp_path / "real" / ".gitignore").exists(), "a folder that the user has named is the user's"


def test_a_link_to_a_shard_of_another_output_is_refused(pixmill, photos, tmp_path):
    assert pixmill("run", photos, "out", "--shard", "1/2", "--quiet").returncode == 0
    shutil.move(tmp_path / "out" / ".pixmill" / "shard-1-of-2", tmp_path / "elsewhere")
    (tmp_path / "out" / ".pixmill" / "shard-1-of-2").symlink_to(tmp_path / "elsewhere")
    for line in (("run", photos, "out", "--shard", "1/2"), ("run", photos, "out"), ("status", "out")):
        assert "shard-1-of-2 is a link" in refused(pixmill(*line))


def test_the_parts_of_a_dataset_are_not_looked_for_behind_a_link(pixmill, photos, tmp_path):
    assert pixmill("run", photos, "tar://out", "--quiet").returncode == 0
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "mine").write_bytes(b"precious")
    for name in ("staging", "parts"):
        shutil.rmtree(tmp_path / "out" / ".pixmill" / name)
        (tmp_path / "out" / ".pixmill" / name).symlink_to(kept)
        assert f"{name} is a link" in refused(pixmill("run", photos, "tar://out"))
        (tmp_path / "out" / ".pixmill" / name).unlink()
    assert [path.read_bytes() for path in kept.iterdir()] == [b"precious"]


def test_a_watcher_that_is_asked_for_is_not_looked_for_behind_a_link(pixmill, out):
    (out / ".pixmill" / "heartbeat").symlink_to("/proc/self/stat")
    assert "heartbeat is a link" in refused(pixmill("watch", "photos", "out", "--health"))


def test_each_output_says_what_its_state_is_and_has_an_identity(pixmill, photos, tmp_path):
    identities = set()
    for name in ("one", "two"):
        assert pixmill("run", photos, name, "--quiet").returncode == 0
        state = tmp_path / name / ".pixmill"
        assert len((state / "README").read_text().splitlines()) == 2
        assert (state / ".gitignore").read_text() == "*\n"
        identities.add((state / "output-id").read_text())
    assert len(identities) == 2


def test_a_run_sweeps_its_own_temporaries_and_none_of_an_output_below_or_around(pixmill, photos, tmp_path):
    for name in ("out", "out/sub"):
        assert pixmill("run", photos, name, "--quiet").returncode == 0
    outer, inner = ((tmp_path / name / ".pixmill" / "output-id").read_text()[:12] for name in ("out", "out/sub"))
    (tmp_path / "out" / "folder").mkdir()
    left = {name: tmp_path / "out" / name for name in (
        f"folder/.pixmill-{outer}1of1-7-0.tmp", "folder/.pixmill-1of1-7-0.tmp", "folder/.pixmill-3of16-7-0.tmp",
        f"folder/.pixmill-{inner}1of1-7-0.tmp", f"sub/.pixmill-{inner}1of1-7-0.tmp", f"sub/.pixmill-{outer}1of1-7-0.tmp",
        "sub/.pixmill-1of1-7-0.tmp")}  # fmt: skip
    for path in left.values():
        path.write_bytes(b"half")
    (tmp_path / "out" / ".pixmill" / "ledger.sqlite").unlink()  # as after a run that died before it began
    assert pixmill("run", photos, "out", "--quiet").returncode == 0
    assert [name for name, path in left.items() if path.exists()] == list(left)[3:]
    (tmp_path / "out" / "sub" / ".pixmill" / "ledger.sqlite").unlink()
    assert pixmill("run", photos, "out/sub", "--quiet").returncode == 0
    assert [name for name, path in left.items() if path.exists()] == [list(left)[3], list(left)[5]]
