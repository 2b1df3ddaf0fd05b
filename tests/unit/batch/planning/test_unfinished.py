"""A retry looks only at the images that are left, and gives them the names that they have."""

import os
import shutil

import pytest
from PIL import Image

import pixmill
from pixmill.batch.config.models import RunConfig, Selection
from pixmill.batch.planning.plan import plan
from pixmill.batch.planning.unfinished import unfinished_tasks

BROKEN = ("a.png", "sub/deep/x.jpg", "sub/y.gif")


@pytest.fixture
def config(tmp_path):
    """A run of 16 images, three of which failed; the name of one has a suffix, since another has its name."""
    for number in range(12):
        write(tmp_path / "in" / "sub" / f"{number}.jpg")
    write(tmp_path / "in" / "a.jpg")
    for name in BROKEN:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"GIF89a" if name.endswith("gif") else b"")
    report = pixmill.run(str(tmp_path / "in"), str(tmp_path / "out"))
    assert (report.counts.done, report.counts.failed) == (13, 3)
    return RunConfig(source=str(tmp_path / "in"), destination=str(tmp_path / "out"))


def write(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)


def test_only_what_is_left_is_looked_at_and_has_the_same_identity_as_in_a_listing(config):
    looked, listed = plan(config), plan(config)
    found = {task.key: task for task in unfinished_tasks(looked)}
    assert found == {task.key: task for task in listed.tasks() if os.fsdecode(task.key) in BROKEN}
    assert len(found) == len(BROKEN)
    assert (looked.candidates, listed.candidates) == (3, 16)


def test_a_file_that_is_gone_or_excluded_now_is_left_out(config, tmp_path):
    (tmp_path / "in" / "a.png").unlink()
    shutil.move(tmp_path / "in" / "sub" / "deep", tmp_path / "in" / "sub" / ".hidden")
    assert [task.key for task in unfinished_tasks(plan(config))] == [b"sub/y.gif"]
    excluding = config.evolve(selection=Selection(exclude=("*.gif",)))
    assert list(unfinished_tasks(plan(excluding))) == []


def test_another_source_of_the_output_is_not_looked_at(config, tmp_path):
    write(tmp_path / "more" / "a.png")
    (tmp_path / "more" / "b.png").write_bytes(b"")
    pixmill.run(str(tmp_path / "more"), config.destination)
    assert {task.key for task in unfinished_tasks(plan(config))} == {os.fsencode(name) for name in BROKEN}
    more = plan(config.evolve(source=str(tmp_path / "more")))
    assert [task.key.rpartition(b"/")[2] for task in unfinished_tasks(more)] == [b"b.png"]


def test_a_source_in_which_nothing_can_be_looked_up_is_listed(config):
    linked = config.evolve(selection=Selection(follow_symlinks=True))
    whole = plan(linked)
    assert {task.key for task in unfinished_tasks(whole)} >= {os.fsencode(name) for name in BROKEN}
    assert whole.candidates == 16
