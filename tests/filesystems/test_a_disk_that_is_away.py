"""A disk below SRC that is not mounted: its images are not gone, so their outputs stay."""

import json
import subprocess
import sys
import time

import pytest

from support.invariants import outputs

NAMES = ("a.jpg", "b.jpg", "sub/c.jpg")


@pytest.fixture
def source(mounts, photos, tmp_path):  # noqa: ARG001  # skips where nothing can be mounted
    """Return a folder of pictures with a disk mounted in it that has others; it may be unmounted and mounted again."""
    inside = photos(tmp_path / "in")
    photos(tmp_path / "disk")
    (inside / "mounted").mkdir()
    mount(tmp_path / "disk", inside / "mounted")
    yield inside
    subprocess.run(["umount", "--lazy", inside / "mounted"], capture_output=True, check=False)


def mount(folder, place):
    subprocess.run(["mount", "--bind", folder, place], check=True)


def unmount(place):
    subprocess.run(["umount", place], check=True)
    assert not list(place.iterdir())


def test_prune_and_mirror_remove_nothing(source, pixmill, tmp_path):
    assert pixmill("run", source, tmp_path / "out").code == 0
    unmount(source / "mounted")
    (source / "a.jpg").unlink()
    told = pixmill("run", source, tmp_path / "out", "--mirror", "--max-delete", "100%")
    assert told.code == 0, told.stderr
    assert "mounted is empty, as if a disk were not mounted" in told.stderr
    assert sorted(outputs(tmp_path / "out")) == ["b.jpg", *(f"mounted/{name}" for name in NAMES), "sub/c.jpg"]
    mount(tmp_path / "disk", source / "mounted")
    (tmp_path / "disk" / "a.jpg").unlink()
    assert pixmill("prune", tmp_path / "out", "--yes").code == 0
    assert sorted(outputs(tmp_path / "out")) == ["b.jpg", "mounted/b.jpg", "mounted/sub/c.jpg", "sub/c.jpg"]


@pytest.mark.parametrize("how", [(), ("--poll", "100ms")], ids=["inotify", "polling"])
def test_a_watch_removes_nothing_while_it_runs_or_after(source, how, tmp_path):
    options = ["--mirror", "--json", "--quiet", "--settle", "200ms", *how]
    line = [sys.executable, "-m", "pixmill", "watch", source, tmp_path / "out", *options]

    def watch(*, meanwhile, gone):
        with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as watcher:
            try:
                for text in watcher.stdout:
                    event = json.loads(text)
                    if event["event"] == "watch_caught_up" and meanwhile:
                        meanwhile.pop()()
                    if event["event"] == "output_removed":
                        assert event["name"] == gone
                        time.sleep(1)  # for any that would follow
                        return
            finally:
                watcher.terminate()

    def unmount_and_remove():
        unmount(source / "mounted")
        time.sleep(1)
        (source / "a.jpg").unlink()

    watch(meanwhile=[unmount_and_remove], gone="a.jpg")
    (source / "b.jpg").unlink()
    watch(meanwhile=[], gone="b.jpg")
    assert sorted(outputs(tmp_path / "out")) == [*(f"mounted/{name}" for name in NAMES), "sub/c.jpg"]
