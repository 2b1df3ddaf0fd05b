"""``pixmill watch`` makes what is there and what arrives, once it is whole."""

import sys
import time

import pytest
from PIL import Image
from tests.cli.conftest import write_picture

from support.pictures import size_of


def test_what_is_there_and_what_arrives_is_made_until_it_is_told_to_stop(watch, tmp_path, how):
    write_picture(tmp_path / "in" / "before.jpg")
    watcher = watch(*how)
    watcher.wait_until_finished("before.jpg")
    write_picture(tmp_path / "in" / "album" / "after.png")
    watcher.wait_until_finished("album/after.png")
    assert size_of(tmp_path / "out" / "album" / "after.jpg") == (64, 48)
    assert watcher.stop() == 0
    assert watcher.events[-1]["event"] == "report"
    assert watcher.events[-1]["counts"]["done"] == 2


def test_a_file_that_is_copied_slowly_is_made_once_and_only_when_it_is_whole(watch, tmp_path, how):
    write_picture(tmp_path / "whole.jpg")
    data = (tmp_path / "whole.jpg").read_bytes()
    watcher = watch(*how, "--settle", "2s")
    watcher.wait_until_idle()
    with (tmp_path / "in" / "slow.jpg").open("wb") as file:
        for start in range(0, len(data), len(data) // 8):
            file.write(data[start : start + len(data) // 8])
            file.flush()
            time.sleep(0.1)  # the test is about slowness itself
    assert watcher.wait_until_finished("slow.jpg")["outcome"] == "done"
    write_picture(tmp_path / "in" / "next.jpg")
    watcher.wait_until_finished("next.jpg")
    assert [event["outcome"] for event in watcher.outcomes("slow.jpg")] == ["done"]


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_a_file_that_is_still_open_is_not_touched_however_long_the_pause(watch, tmp_path):
    write_picture(tmp_path / "whole.jpg")
    data = (tmp_path / "whole.jpg").read_bytes()
    watcher = watch()
    watcher.wait_until_idle()
    with (tmp_path / "in" / "slow.jpg").open("wb") as file:
        file.write(data[:500])
        file.flush()
        write_picture(tmp_path / "in" / "other.jpg")  # comes later, settles, and is made
        watcher.wait_until_finished("other.jpg")
        assert watcher.outcomes("slow.jpg") == []
        file.write(data[500:])
    assert watcher.wait_until_finished("slow.jpg")["outcome"] == "done"
    assert len(watcher.outcomes("slow.jpg")) == 1


def test_unfinished_names_are_left_alone_until_they_are_renamed(watch, tmp_path, how):
    watcher = watch(*how, "--all-files")
    watcher.wait_until_idle()
    for name in ("a.jpg.part", "b.crdownload", ".c.jpg", "d.tmp"):
        write_picture(tmp_path / "whole.jpg")
        (tmp_path / "whole.jpg").rename(tmp_path / "in" / name)
    write_picture(tmp_path / "in" / "other.jpg")
    watcher.wait_until_finished("other.jpg")
    (tmp_path / "in" / "a.jpg.part").rename(tmp_path / "in" / "a.jpg")
    watcher.wait_until_finished("a.jpg")
    assert {event["key"] for event in watcher.events if event["event"] == "task_finished"} == {"other.jpg", "a.jpg"}


def test_an_image_that_is_overwritten_is_made_again(watch, tmp_path, how):
    watcher = watch(*how)
    write_picture(tmp_path / "in" / "a.jpg", shade=10)
    watcher.wait_until_finished("a.jpg")
    before = (tmp_path / "out" / "a.jpg").read_bytes()
    write_picture(tmp_path / "in" / "a.jpg", shade=200)
    watcher.wait_until_finished("a.jpg", times=2)
    assert (tmp_path / "out" / "a.jpg").read_bytes() != before


def test_a_failure_is_tried_again_when_the_file_changes_and_not_before(watch, tmp_path, how):
    watcher = watch(*how)
    (tmp_path / "in" / "a.jpg").write_bytes(b"no picture")
    assert watcher.wait_until_finished("a.jpg")["outcome"] == "failed"
    write_picture(tmp_path / "in" / "other.jpg")
    watcher.wait_until_finished("other.jpg")
    assert len(watcher.outcomes("a.jpg")) == 1
    write_picture(tmp_path / "in" / "a.jpg")
    assert watcher.wait_until_finished("a.jpg", times=2)["outcome"] == "done"


def test_a_name_stays_with_the_image_that_came_first(watch, tmp_path, how):
    watcher = watch(*how)
    write_picture(tmp_path / "in" / "a.png", shade=10)
    watcher.wait_until_finished("a.png")
    write_picture(tmp_path / "in" / "a.jpg", shade=200)
    watcher.wait_until_finished("a.jpg")
    assert {path.name for path in (tmp_path / "out").glob("*.jpg")} == {"a.jpg", "a.jpg.jpg"}
    with Image.open(tmp_path / "out" / "a.jpg") as image:
        assert image.getpixel((0, 0))[0] < 50


def test_a_folder_that_is_moved_in_is_made_whole(watch, tmp_path, how):
    for number in range(5):
        write_picture(tmp_path / "album" / "deep" / f"{number}.jpg")
    watcher = watch(*how)
    watcher.wait_until_idle()
    (tmp_path / "album").rename(tmp_path / "in" / "album")
    watcher.wait_until_finished(*(f"album/deep/{number}.jpg" for number in range(5)))


def test_the_folder_may_go_and_come_back(watch, tmp_path, how):
    write_picture(tmp_path / "in" / "a.jpg")
    watcher = watch(*how)
    watcher.wait_until_finished("a.jpg")
    (tmp_path / "in").rename(tmp_path / "away")
    watcher.wait_for(lambda events: events[-1]["event"] == "source_lost")
    write_picture(tmp_path / "away" / "b.jpg")
    (tmp_path / "away").rename(tmp_path / "in")
    watcher.wait_until_finished("b.jpg")
    assert watcher.outcomes("a.jpg")[-1]["outcome"] in ("done", "skipped")
    assert (tmp_path / "out" / "a.jpg").exists()
    assert watcher.stop() == 0
