"""``pixmill watch --mirror`` removes the outputs of images that were removed, and no others; without it all outputs stay."""

import json
import subprocess
import sys

from tests.cli.conftest import write_picture


def test_outputs_stay_when_their_images_go(watch, tmp_path):
    watcher = watch()
    write_picture(tmp_path / "in" / "a.jpg")
    watcher.wait_until_finished("a.jpg")
    (tmp_path / "in" / "a.jpg").unlink()
    write_picture(tmp_path / "in" / "b.jpg")
    watcher.wait_until_finished("b.jpg")
    assert (tmp_path / "out" / "a.jpg").exists()


def test_a_mirror_removes_the_outputs_of_what_was_removed_and_nothing_else(watch, tmp_path, how):
    write_picture(tmp_path / "in" / "album" / "a.jpg")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.jpg").write_bytes(b"not made by pixmill")
    watcher = watch(*how, "--mirror")
    write_picture(tmp_path / "in" / "x.jpg", shade=10)
    write_picture(tmp_path / "in" / "x.png", shade=200)
    watcher.wait_until_finished("album/a.jpg", "x.jpg", "x.png")
    (tmp_path / "in" / "album" / "a.jpg").unlink()
    (tmp_path / "in" / "album").rmdir()
    (tmp_path / "in" / "x.jpg").unlink()
    watcher.wait_for(lambda events: {event.get("name") for event in events} >= {"album/a.jpg", "x.jpg"})
    assert {path.name for path in (tmp_path / "out").rglob("*.jpg")} == {"mine.jpg", "x.png.jpg"}
    write_picture(tmp_path / "in" / "x.gif", shade=90)  # the name that was x.jpg's is free again
    watcher.wait_until_finished("x.gif")
    assert {path.name for path in (tmp_path / "out").rglob("*.jpg")} == {"mine.jpg", "x.jpg", "x.png.jpg"}
    assert watcher.stop() == 0
    status = subprocess.run(
        (sys.executable, "-m", "pixmill", "status", "out", "--json"), cwd=tmp_path, check=True, capture_output=True
    )
    assert json.loads(status.stdout)["done"] == 2


def test_a_mirror_sees_at_its_start_what_was_removed_while_nobody_watched(watch, tmp_path):
    for name in ("a.jpg", "b.jpg"):
        write_picture(tmp_path / "in" / name)
    first = watch()
    first.wait_until_finished("a.jpg", "b.jpg")
    assert first.stop() == 0
    (tmp_path / "in" / "a.jpg").unlink()
    second = watch("--mirror")
    second.wait_for(lambda events: any(event["event"] == "output_removed" for event in events))
    assert {path.name for path in (tmp_path / "out").glob("*.jpg")} == {"b.jpg"}


def test_a_mirror_takes_an_empty_folder_for_a_disk_that_is_not_mounted(watch, tmp_path):
    for name in ("a.jpg", "b.jpg", "disk/c.jpg"):
        write_picture(tmp_path / "in" / name)
    first = watch("--mirror")
    first.wait_until_finished("a.jpg", "b.jpg", "disk/c.jpg")
    assert first.stop() == 0
    (tmp_path / "in" / "disk" / "c.jpg").rename(tmp_path / "c.jpg")
    (tmp_path / "in" / "a.jpg").unlink()
    second = watch("--mirror")
    second.wait_for(lambda events: any(event.get("name") == "a.jpg" for event in events))
    write_picture(tmp_path / "in" / "d.jpg")
    second.wait_until_finished("d.jpg")
    assert {event["name"] for event in second.events if event["event"] == "output_removed"} == {"a.jpg"}
    assert (tmp_path / "out" / "disk" / "c.jpg").exists()


def test_a_mirror_keeps_an_output_that_was_edited(watch, tmp_path, how):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        write_picture(tmp_path / "in" / name)
    watcher = watch(*how, "--mirror")
    watcher.wait_until_finished("a.jpg", "b.jpg", "c.jpg")
    (tmp_path / "out" / "a.jpg").write_bytes(b"edited by hand")
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "in" / name).unlink()
    watcher.wait_for(lambda events: any(event.get("name") == "b.jpg" for event in events))
    assert watcher.stop() == 0
    assert {event["name"] for event in watcher.events if event["event"] == "output_removed"} == {"b.jpg"}
    assert (tmp_path / "out" / "a.jpg").read_bytes() == b"edited by hand"


def test_a_mirror_does_not_take_a_folder_that_went_for_one_that_was_emptied(watch, tmp_path, how):
    write_picture(tmp_path / "in" / "album" / "a.jpg")
    watcher = watch(*how, "--mirror")
    watcher.wait_until_finished("album/a.jpg")
    (tmp_path / "in").rename(tmp_path / "away")
    watcher.wait_for(lambda events: events[-1]["event"] == "source_lost")
    (tmp_path / "in").mkdir()  # a mount point without its mount
    watcher.wait_for(lambda events: [event["event"] for event in events].count("watch_started") == 2)
    write_picture(tmp_path / "away" / "b.jpg")
    (tmp_path / "in").rmdir()
    (tmp_path / "away").rename(tmp_path / "in")
    watcher.wait_until_finished("b.jpg")
    assert (tmp_path / "out" / "album" / "a.jpg").exists()
    assert not [event for event in watcher.events if event["event"] == "output_removed"]
