"""Another program takes an output's name between the check and the rename: its file stays, whatever the file system can do."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.invariants import counts, failed, outputs, temporaries

FOREIGN = b"somebody else's, written at this very moment"
WINDOW = re.compile(
    r"(?im)^.*\b(another|other)\b.*\b(program|process|one)\b.*$|^.*\b(meanwhile|between|same moment|same time)\b.*$"
)
SAFE = pytest.mark.parametrize("mode", ["renameat2", "link"])


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """Build the library that is preloaded."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("a C compiler builds the program that is faster")
    built = tmp_path_factory.mktemp("race") / "race.so"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", built, Path(__file__).with_name("race.c"), "-ldl"], check=True)
    return built


class Race:
    """The environment of one race for the names below ``destination``, and how many files the other program ``created``."""

    def __init__(self, library, folder, destination, mode, content):
        self._counter = folder / "counter"
        self._counter.write_bytes(bytes(16))
        (folder / "content").write_bytes(content or b"")
        self.environment = {
            "LD_PRELOAD": str(library),
            "RACE_UNDER": str(destination),
            "RACE_MODE": mode,
            "RACE_CONTENT": "" if content is None else str(folder / "content"),
            "RACE_COUNTER": str(self._counter),
        }

    @property
    def seen(self):
        return int.from_bytes(self._counter.read_bytes()[:8], "little")

    @property
    def created(self):
        return int.from_bytes(self._counter.read_bytes()[8:], "little")


@pytest.fixture
def race(library, tmp_path):
    """Return a function that prepares a race for the names below ``tmp_path / "out"``."""
    return lambda mode, content=FOREIGN: Race(library, tmp_path, tmp_path / "out", mode, content)


@pytest.fixture
def sources(photos, tmp_path, untouched):
    """Fill ``tmp_path / "in"`` with pictures that nothing may change."""
    untouched(photos(tmp_path / "in"))


pytestmark = pytest.mark.usefixtures("sources")


@SAFE
@pytest.mark.parametrize("executor", ["local", "inline"])
def test_a_file_that_appears_just_before_the_rename_keeps_its_bytes(pixmill, race, tmp_path, mode, executor):
    rival = race(mode)
    told = pixmill("run", "in", "out", "--executor", executor, env=rival.environment)
    assert rival.created == 3, "the library was never in time: the test proves nothing"
    assert told.code == 1, told.stderr
    assert outputs(tmp_path / "out") == dict.fromkeys(("a.jpg", "b.jpg", "sub/c.jpg"), FOREIGN)
    assert {record.failure.code for record in failed(tmp_path / "out").values()} == {"exists"}
    assert temporaries(tmp_path / "out") == []


@SAFE
def test_a_file_that_appears_just_before_the_rename_with_the_very_bytes_is_adopted(pixmill, race, tmp_path, mode):
    assert pixmill("run", "in/a.jpg", "elsewhere").code == 0
    rival = race(mode, (tmp_path / "elsewhere" / "a.jpg").read_bytes())
    told = pixmill("run", "in", "out", "--include", "a.jpg", env=rival.environment)
    assert rival.created == 1
    assert told.code == 0, told.stderr
    assert counts(tmp_path / "out").done == 1
    assert temporaries(tmp_path / "out") == []


@SAFE
def test_what_was_in_the_way_and_was_moved_does_not_stop_a_retry(pixmill, race, tmp_path, mode):
    assert pixmill("run", "in", "out", env=race(mode).environment).code == 1
    for path in (tmp_path / "out").rglob("*.jpg"):
        path.unlink()
    told = pixmill("retry", "out")
    assert told.code == 0, told.stderr
    assert counts(tmp_path / "out").done == 3


@pytest.mark.parametrize("mode", ["link", "rename"])
@pytest.mark.parametrize("executor", ["local", "inline"])
def test_without_a_rival_every_way_to_give_a_name_makes_the_same_files(pixmill, race, tmp_path, mode, executor):
    assert pixmill("run", "in", "expected").code == 0
    alone = race(mode, None)
    told = pixmill("run", "in", "out", "--executor", executor, env=alone.environment)
    assert told.code == 0, told.stderr
    assert outputs(tmp_path / "out") == outputs(tmp_path / "expected")
    assert alone.seen >= 3
    again = pixmill("run", "in", "out", "--executor", executor, env=alone.environment)
    assert "skipped   3 images" in again.stderr
    assert temporaries(tmp_path / "out") == []


def test_where_nothing_can_help_the_run_has_said_so_once(pixmill, race):
    usual = pixmill("run", "in", "usual", "--progress", "none")
    assert WINDOW.search(usual.stderr) is None
    rival = race("rename")
    told = pixmill("run", "in", "out", "--progress", "plain", env=rival.environment)
    assert rival.created == 3, "the library was never in time: the test proves nothing"
    assert len(WINDOW.findall(told.stderr)) == 1, told.stderr
    assert WINDOW.search(told.stderr).start() < told.stderr.index("found "), "it is said when it is too late to stop"


def test_the_window_is_in_the_events_for_machines(pixmill, race):
    told = pixmill("run", "in", "out", "--json", "--progress", "none", env=race("rename").environment)
    events = [json.loads(line) for line in told.stdout.splitlines()]
    assert WINDOW.search(told.stderr) or any(WINDOW.search(json.dumps(event)) for event in events)


def test_a_file_that_was_there_before_stays_where_only_a_check_protects_it(pixmill, race, tmp_path, untouched):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.jpg").write_bytes(FOREIGN)
    untouched(tmp_path / "out")
    told = pixmill("run", "in", "out", "--include", "a.jpg", env=race("rename").environment)
    assert told.code == 1, told.stderr
    assert {record.failure.code for record in failed(tmp_path / "out").values()} == {"exists"}
