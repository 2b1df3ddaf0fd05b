"""Images that are moved out of the folder once they are finished."""

import os
from pathlib import Path

import pytest

from pixmill.batch.item import Item, to_task
from pixmill.batch.watch.move_processed import ProcessedMover
from pixmill.core.errors import ConfigError
from pixmill.engine.task import Done, Failed, Failure
from pixmill.storage.schemes.file import FileStorage


@pytest.fixture
def source(tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "sub" / "a.jpg").write_bytes(b"picture")
    return FileStorage(bytes(tmp_path / "in"))


@pytest.fixture
def inbox(source, tmp_path):
    return ProcessedMover(source, tmp_path / "in", done=str(tmp_path / "done"), failed=str(tmp_path / "failed"))


def task(source):
    return to_task(Item(source.stat(b"sub/a.jpg"), (b"sub/a.jpg",)), b"recipe")


def test_a_done_image_is_moved_with_its_folder(inbox, source, tmp_path):
    assert inbox.move(Done(task=task(source))) == tmp_path / "done" / "sub" / "a.jpg"
    assert (tmp_path / "done" / "sub" / "a.jpg").read_bytes() == b"picture"
    assert not (tmp_path / "in" / "sub" / "a.jpg").exists()


def test_a_failed_image_goes_elsewhere(inbox, source, tmp_path):
    failure = Failure(code="decode", stage="decode", message="cut off")
    assert inbox.move(Failed(task=task(source), failure=failure)) == tmp_path / "failed" / "sub" / "a.jpg"


def test_nothing_is_ever_written_over(inbox, source, tmp_path):
    (tmp_path / "done" / "sub").mkdir(parents=True)
    (tmp_path / "done" / "sub" / "a.jpg").write_bytes(b"an earlier one")
    assert inbox.move(Done(task=task(source))) == tmp_path / "done" / "sub" / "a~2.jpg"
    assert (tmp_path / "done" / "sub" / "a.jpg").read_bytes() == b"an earlier one"


def test_an_image_that_has_changed_since_it_was_processed_stays(inbox, source, tmp_path):
    processed = task(source)
    (tmp_path / "in" / "sub" / "a.jpg").write_bytes(b"a newer picture")
    assert inbox.move(Done(task=processed)) is None
    assert (tmp_path / "in" / "sub" / "a.jpg").exists()


def test_an_image_stays_where_no_folder_was_named_for_its_outcome(source, tmp_path):
    inbox = ProcessedMover(source, tmp_path / "in", done=None, failed=str(tmp_path / "failed"))
    assert inbox.move(Done(task=task(source))) is None


@pytest.mark.parametrize("folder", [".", "..", "../in"])
def test_a_folder_that_holds_the_source_is_refused(source, tmp_path, folder):
    with pytest.raises(ConfigError, match="contains SRC"):
        ProcessedMover(source, tmp_path / "in", done=str(tmp_path / "in" / folder), failed=None)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no second file system to move to")
def test_an_image_is_moved_to_another_file_system(source, tmp_path):
    other = Path("/dev/shm") / f"pixmill-test-{os.getpid()}"
    inbox = ProcessedMover(source, tmp_path / "in", done=str(other), failed=None)
    try:
        moved = inbox.move(Done(task=task(source)))
        assert moved is not None
        assert moved.read_bytes() == b"picture"
        assert not (tmp_path / "in" / "sub" / "a.jpg").exists()
    finally:
        for path in (other / "sub" / "a.jpg", other / "sub", other):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
