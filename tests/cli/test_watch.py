"""``pixmill watch`` with real processes and folders; waits only for events that must happen."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from PIL import Image

from support.processes import wait_until

COMMAND = (sys.executable, "-m", "pixmill", "watch", "in", "out", "--json", "--quiet", "--settle", "300ms", "--workers", "1")
DEADLINE = 60.0


def picture(path, shade=120):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (shade, 90, 60)).save(path, "PNG" if path.suffix == ".png" else "JPEG")


class Watching:
    """A watcher in a process of its own, and the events that it has told of."""

    def __init__(self, folder, *options):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PIXMILL_")}
        self.process = subprocess.Popen(
            (*COMMAND, *options), cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.events = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()

    def wait_for(self, is_there):
        """Wait until ``is_there(events)``, and return the events."""
        with self._changed:
            if not self._changed.wait_for(lambda: is_there(self.events), DEADLINE):
                pytest.fail(f"it never happened: {self.events[-10:]} {self.process.poll()}")
            return list(self.events)

    def wait_until_finished(self, *keys, times=1):
        """Wait until each of ``keys`` has had ``times`` outcomes, and return the last one of the first."""
        self.wait_for(lambda _: all(len(self.outcomes(key)) >= times for key in keys))
        return self.outcomes(keys[0])[-1]

    def outcomes(self, key):
        return [event for event in self.events if event["event"] == "task_finished" and event["key"] == key]

    def wait_until_idle(self):
        """Wait until everything that was there has been looked at."""
        self.wait_for(lambda events: Counter(event["event"] for event in events)["watch_caught_up"])

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE)
        self._reader.join()
        return code

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def watch(tmp_path):
    (tmp_path / "in").mkdir(exist_ok=True)
    watchers = []

    def begin(*options):
        watchers.append(Watching(tmp_path, *options))
        return watchers[-1]

    yield begin
    for watcher in watchers:
        watcher.end()


@pytest.fixture(params=[(), ("--poll", "100ms")], ids=["inotify", "polling"])
def how(request):
    return request.param


def size_of(path):
    with Image.open(path) as image:
        return image.size


def test_what_is_there_and_what_arrives_is_made_until_it_is_told_to_stop(watch, tmp_path, how):
    picture(tmp_path / "in" / "before.jpg")
    watcher = watch(*how)
    watcher.wait_until_finished("before.jpg")
    picture(tmp_path / "in" / "album" / "after.png")
    watcher.wait_until_finished("album/after.png")
    assert size_of(tmp_path / "out" / "album" / "after.jpg") == (64, 48)
    assert watcher.stop() == 0
    assert watcher.events[-1]["event"] == "report"
    assert watcher.events[-1]["counts"]["done"] == 2


def test_a_file_that_is_copied_slowly_is_made_once_and_only_when_it_is_whole(watch, tmp_path, how):
    picture(tmp_path / "whole.jpg")
    data = (tmp_path / "whole.jpg").read_bytes()
    watcher = watch(*how, "--settle", "2s")
    watcher.wait_until_idle()
    with (tmp_path / "in" / "slow.jpg").open("wb") as file:
        for start in range(0, len(data), len(data) // 8):
            file.write(data[start : start + len(data) // 8])
            file.flush()
            time.sleep(0.1)  # the test is about slowness itself
    assert watcher.wait_until_finished("slow.jpg")["outcome"] == "done"
    picture(tmp_path / "in" / "next.jpg")
    watcher.wait_until_finished("next.jpg")
    assert [event["outcome"] for event in watcher.outcomes("slow.jpg")] == ["done"]


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_a_file_that_is_still_open_is_not_touched_however_long_the_pause(watch, tmp_path):
    picture(tmp_path / "whole.jpg")
    data = (tmp_path / "whole.jpg").read_bytes()
    watcher = watch()
    watcher.wait_until_idle()
    with (tmp_path / "in" / "slow.jpg").open("wb") as file:
        file.write(data[:500])
        file.flush()
        picture(tmp_path / "in" / "other.jpg")  # comes later, settles, and is made
        watcher.wait_until_finished("other.jpg")
        assert watcher.outcomes("slow.jpg") == []
        file.write(data[500:])
    assert watcher.wait_until_finished("slow.jpg")["outcome"] == "done"
    assert len(watcher.outcomes("slow.jpg")) == 1


def test_unfinished_names_are_left_alone_until_they_are_renamed(watch, tmp_path, how):
    watcher = watch(*how, "--all-files")
    watcher.wait_until_idle()
    for name in ("a.jpg.part", "b.crdownload", ".c.jpg", "d.tmp"):
        picture(tmp_path / "whole.jpg")
        (tmp_path / "whole.jpg").rename(tmp_path / "in" / name)
    picture(tmp_path / "in" / "other.jpg")
    watcher.wait_until_finished("other.jpg")
    (tmp_path / "in" / "a.jpg.part").rename(tmp_path / "in" / "a.jpg")
    watcher.wait_until_finished("a.jpg")
    assert {event["key"] for event in watcher.events if event["event"] == "task_finished"} == {"other.jpg", "a.jpg"}


def test_an_image_that_is_overwritten_is_made_again(watch, tmp_path, how):
    watcher = watch(*how)
    picture(tmp_path / "in" / "a.jpg", shade=10)
    watcher.wait_until_finished("a.jpg")
    before = (tmp_path / "out" / "a.jpg").read_bytes()
    picture(tmp_path / "in" / "a.jpg", shade=200)
    watcher.wait_until_finished("a.jpg", times=2)
    assert (tmp_path / "out" / "a.jpg").read_bytes() != before


def test_a_failure_is_tried_again_when_the_file_changes_and_not_before(watch, tmp_path, how):
    watcher = watch(*how)
    (tmp_path / "in" / "a.jpg").write_bytes(b"no picture")
    assert watcher.wait_until_finished("a.jpg")["outcome"] == "failed"
    picture(tmp_path / "in" / "other.jpg")
    watcher.wait_until_finished("other.jpg")
    assert len(watcher.outcomes("a.jpg")) == 1
    picture(tmp_path / "in" / "a.jpg")
    assert watcher.wait_until_finished("a.jpg", times=2)["outcome"] == "done"


def test_a_run_and_a_watch_go_on_where_the_other_was(watch, tmp_path):
    picture(tmp_path / "in" / "a.jpg")
    run = (sys.executable, "-m", "pixmill", "run", "in", "out", "--json", "--quiet")
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
    made = (tmp_path / "out" / "a.jpg").stat()
    watcher = watch()
    assert watcher.wait_until_finished("a.jpg")["outcome"] == "skipped"
    picture(tmp_path / "in" / "b.jpg")
    watcher.wait_until_finished("b.jpg")
    assert watcher.stop() == 0
    report = json.loads(subprocess.run(run, cwd=tmp_path, check=True, capture_output=True).stdout.splitlines()[-1])
    assert (report["counts"]["done"], report["counts"]["skipped"]) == (0, 2)
    assert ((tmp_path / "out" / "a.jpg").stat().st_ino, (tmp_path / "out" / "a.jpg").stat().st_mtime_ns) == (
        made.st_ino,
        made.st_mtime_ns,
    )


def test_a_name_stays_with_the_image_that_came_first(watch, tmp_path, how):
    watcher = watch(*how)
    picture(tmp_path / "in" / "a.png", shade=10)
    watcher.wait_until_finished("a.png")
    picture(tmp_path / "in" / "a.jpg", shade=200)
    watcher.wait_until_finished("a.jpg")
    assert {path.name for path in (tmp_path / "out").glob("*.jpg")} == {"a.jpg", "a.jpg.jpg"}
    with Image.open(tmp_path / "out" / "a.jpg") as image:
        assert image.getpixel((0, 0))[0] < 50


def test_a_folder_that_is_moved_in_is_made_whole(watch, tmp_path, how):
    for number in range(5):
        picture(tmp_path / "album" / "deep" / f"{number}.jpg")
    watcher = watch(*how)
    watcher.wait_until_idle()
    (tmp_path / "album").rename(tmp_path / "in" / "album")
    watcher.wait_until_finished(*(f"album/deep/{number}.jpg" for number in range(5)))


def test_outputs_stay_when_their_images_go(watch, tmp_path):
    watcher = watch()
    picture(tmp_path / "in" / "a.jpg")
    watcher.wait_until_finished("a.jpg")
    (tmp_path / "in" / "a.jpg").unlink()
    picture(tmp_path / "in" / "b.jpg")
    watcher.wait_until_finished("b.jpg")
    assert (tmp_path / "out" / "a.jpg").exists()


def test_a_mirror_removes_the_outputs_of_what_was_removed_and_nothing_else(watch, tmp_path, how):
    picture(tmp_path / "in" / "album" / "a.jpg")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.jpg").write_bytes(b"not made by pixmill")
    watcher = watch(*how, "--mirror")
    picture(tmp_path / "in" / "x.jpg", shade=10)
    picture(tmp_path / "in" / "x.png", shade=200)
    watcher.wait_until_finished("album/a.jpg", "x.jpg", "x.png")
    (tmp_path / "in" / "album" / "a.jpg").unlink()
    (tmp_path / "in" / "album").rmdir()
    (tmp_path / "in" / "x.jpg").unlink()
    watcher.wait_for(lambda events: {event.get("name") for event in events} >= {"album/a.jpg", "x.jpg"})
    assert {path.name for path in (tmp_path / "out").rglob("*.jpg")} == {"mine.jpg", "x.png.jpg"}
    picture(tmp_path / "in" / "x.gif", shade=90)  # the name that was x.jpg's is free again
    watcher.wait_until_finished("x.gif")
    assert {path.name for path in (tmp_path / "out").rglob("*.jpg")} == {"mine.jpg", "x.jpg", "x.png.jpg"}
    assert watcher.stop() == 0
    status = subprocess.run(
        (sys.executable, "-m", "pixmill", "status", "out", "--json"), cwd=tmp_path, check=True, capture_output=True
    )
    assert json.loads(status.stdout)["done"] == 2


def test_a_mirror_sees_at_its_start_what_was_removed_while_nobody_watched(watch, tmp_path):
    for name in ("a.jpg", "b.jpg"):
        picture(tmp_path / "in" / name)
    first = watch()
    first.wait_until_finished("a.jpg", "b.jpg")
    assert first.stop() == 0
    (tmp_path / "in" / "a.jpg").unlink()
    second = watch("--mirror")
    second.wait_for(lambda events: any(event["event"] == "output_removed" for event in events))
    assert {path.name for path in (tmp_path / "out").glob("*.jpg")} == {"b.jpg"}


def test_a_mirror_takes_an_empty_folder_for_a_disk_that_is_not_mounted(watch, tmp_path):
    for name in ("a.jpg", "b.jpg", "disk/c.jpg"):
        picture(tmp_path / "in" / name)
    first = watch("--mirror")
    first.wait_until_finished("a.jpg", "b.jpg", "disk/c.jpg")
    assert first.stop() == 0
    (tmp_path / "in" / "disk" / "c.jpg").rename(tmp_path / "c.jpg")
    (tmp_path / "in" / "a.jpg").unlink()
    second = watch("--mirror")
    second.wait_for(lambda events: any(event.get("name") == "a.jpg" for event in events))
    picture(tmp_path / "in" / "d.jpg")
    second.wait_until_finished("d.jpg")
    assert {event["name"] for event in second.events if event["event"] == "output_removed"} == {"a.jpg"}
    assert (tmp_path / "out" / "disk" / "c.jpg").exists()


def test_a_mirror_keeps_an_output_that_was_edited(watch, tmp_path, how):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        picture(tmp_path / "in" / name)
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
    picture(tmp_path / "in" / "album" / "a.jpg")
    watcher = watch(*how, "--mirror")
    watcher.wait_until_finished("album/a.jpg")
    (tmp_path / "in").rename(tmp_path / "away")
    watcher.wait_for(lambda events: events[-1]["event"] == "source_lost")
    (tmp_path / "in").mkdir()  # a mount point without its mount
    watcher.wait_for(lambda events: [event["event"] for event in events].count("watch_started") == 2)
    picture(tmp_path / "away" / "b.jpg")
    (tmp_path / "in").rmdir()
    (tmp_path / "away").rename(tmp_path / "in")
    watcher.wait_until_finished("b.jpg")
    assert (tmp_path / "out" / "album" / "a.jpg").exists()
    assert not [event for event in watcher.events if event["event"] == "output_removed"]


def test_an_inbox_empties_into_done_and_failed_and_no_output_is_written_over(watch, tmp_path, how):
    watcher = watch(*how, "--move-done", "done", "--move-failed", "in/failed")
    for number, shade in enumerate((10, 200)):
        picture(tmp_path / "new.jpg", shade=shade)
        (tmp_path / "new.jpg").rename(tmp_path / "in" / "a.jpg")
        watcher.wait_until_finished("a.jpg", times=number + 1)
        watcher.wait_for(lambda events, wanted=number + 1: sum(event["event"] == "source_moved" for event in events) == wanted)
    (tmp_path / "in" / "bad.jpg").write_bytes(b"no picture")
    watcher.wait_for(lambda events: sum(event["event"] == "source_moved" for event in events) == 3)
    assert {path.name for path in (tmp_path / "done").iterdir()} == {"a.jpg", "a~2.jpg"}
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["failed"]
    assert [path.name for path in (tmp_path / "in" / "failed").iterdir()] == ["bad.jpg"]
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 2


def dated(path, year):
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[36867] = f"{year}:05:17 10:11:12"
    Image.new("RGB", (64, 48), (year % 255, 90, 60)).save(path, exif=exif)


def test_names_may_depend_on_the_images(watch, tmp_path, how):
    watcher = watch(*how, "--name", "{date:%Y}/{stem}.{ext}")
    for folder in ("x", "y"):
        dated(tmp_path / "in" / folder / "a.jpg", 2024)
        watcher.wait_until_finished(f"{folder}/a.jpg")
    dated(tmp_path / "in" / "x" / "a.jpg", 1999)
    watcher.wait_until_finished("x/a.jpg", times=2)
    assert {path.name for path in (tmp_path / "out").glob("2024/*.jpg")} == {"a.jpg", "a.jpg.jpg"}
    assert not (tmp_path / "out" / "1999").exists()


def test_names_depend_on_each_image_that_is_moved_out_when_it_is_done(watch, tmp_path, how):
    watcher = watch(*how, "--move-done", "done", "--name", "{date:%Y}/{stem}.{ext}")
    for number, year in enumerate((2024, 1999, 2024)):
        dated(tmp_path / "new.jpg", year)
        (tmp_path / "new.jpg").rename(tmp_path / "in" / "a.jpg")
        watcher.wait_until_finished("a.jpg", times=number + 1)
        watcher.wait_for(lambda events, wanted=number + 1: sum(event["event"] == "source_moved" for event in events) == wanted)
    names = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").glob("[0-9]*/*.jpg")}
    assert names == {"2024/a.jpg", "1999/a.jpg", "2024/a.jpg.jpg"}


def test_the_folder_may_go_and_come_back(watch, tmp_path, how):
    picture(tmp_path / "in" / "a.jpg")
    watcher = watch(*how)
    watcher.wait_until_finished("a.jpg")
    (tmp_path / "in").rename(tmp_path / "away")
    watcher.wait_for(lambda events: events[-1]["event"] == "source_lost")
    picture(tmp_path / "away" / "b.jpg")
    (tmp_path / "away").rename(tmp_path / "in")
    watcher.wait_until_finished("b.jpg")
    assert watcher.outcomes("a.jpg")[-1]["outcome"] in ("done", "skipped")
    assert (tmp_path / "out" / "a.jpg").exists()
    assert watcher.stop() == 0


def test_a_changed_recipe_counts_and_a_broken_one_does_not(watch, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('[[steps]]\noperation = "resize"\nwidth = 32\nheight = 32\n')
    picture(tmp_path / "in" / "a.jpg")
    watcher = watch("--recipe", "recipe.toml")
    watcher.wait_until_finished("a.jpg")
    assert size_of(tmp_path / "out" / "a.jpg") == (32, 24)
    recipe.write_text('[[steps]]\noperation = "resiez"\n')
    refused = watcher.wait_for(lambda events: events[-1]["event"] == "settings_refused")[-1]
    assert "recipe.toml" in refused["message"]
    assert "resize" in refused["message"]
    recipe.write_text('[[steps]]\noperation = "resize"\nwidth = 16\nheight = 16\n')
    watcher.wait_until_finished("a.jpg", times=2)
    assert size_of(tmp_path / "out" / "a.jpg") == (16, 12)
    assert watcher.stop() == 0


def test_the_health_check_tells_life_from_death(watch, tmp_path, pixmill):
    (tmp_path / "out").mkdir()
    ask = ("watch", "in", "out", "--health")
    assert pixmill(*ask).returncode == 3
    watcher = watch()
    watcher.wait_until_idle()
    assert pixmill(*ask).returncode == 0
    watcher.process.send_signal(signal.SIGSTOP)
    answer = pixmill(*ask)
    watcher.process.send_signal(signal.SIGCONT)
    assert answer.returncode == 3
    assert f"process {watcher.process.pid} is stopped or dead" in answer.stderr
    assert watcher.stop() == 0
    assert pixmill(*ask).returncode == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--mirror", "--move-done", "done"), "mirror"),
        (("--move-done", "."), "contains SRC"),
        (("--settle", "soon"), "a duration such as 30s"),
    ],
)
def test_what_cannot_work_is_refused_at_once(pixmill, tmp_path, options, message):
    (tmp_path / "in").mkdir()
    answer = pixmill("watch", "in", "out", *options)
    assert answer.returncode == 2
    assert message in answer.stderr
    assert not (tmp_path / "out").exists()


def test_one_file_cannot_be_watched(pixmill, tmp_path):
    picture(tmp_path / "in" / "a.jpg")
    answer = pixmill("watch", "in/a.jpg", "out")
    assert (answer.returncode, "only local folders can be watched" in answer.stderr) == (2, True)


def test_the_report_is_written_when_it_has_caught_up_and_again_at_the_end(watch, tmp_path):
    picture(tmp_path / "in" / "before.jpg")
    watcher = watch("--report", "page.html")
    wait_until((tmp_path / "page.html").exists, seconds=DEADLINE)
    picture(tmp_path / "in" / "after.jpg", shade=20)
    watcher.wait_until_finished("after.jpg")
    assert watcher.stop() == 0
    assert '<dd data-value="done">2</dd>' in (tmp_path / "page.html").read_text()
    assert not list(tmp_path.glob(".page.html*"))


def test_what_lies_in_the_output_is_never_taken_whatever_leads_there(watch, tmp_path):
    picture(tmp_path / "in" / "a.jpg")
    watcher = watch("--follow-symlinks", "--poll", "100ms")
    watcher.wait_until_finished("a.jpg")
    (tmp_path / "in" / "whole").symlink_to("../out")
    (tmp_path / "in" / "again.jpg").symlink_to("../out/a.jpg")
    picture(tmp_path / "in" / "z.jpg")
    watcher.wait_until_finished("z.jpg")
    watcher.wait_until_idle()
    assert watcher.stop() == 0
    assert watcher.events[-1]["counts"]["found"] == 2


def test_links_that_are_left_out_are_counted(watch, tmp_path, how):
    picture(tmp_path / "in" / "a.jpg")
    (tmp_path / "in" / "b.jpg").symlink_to("a.jpg")
    watcher = watch(*how)
    watcher.wait_until_finished("a.jpg")
    watcher.wait_until_idle()
    assert watcher.stop() == 0
    assert watcher.events[-1]["ignored"] == {"symlink": 1}


def test_patterns_apply_to_what_was_there_and_to_what_arrives(watch, tmp_path):
    for name in ("a.jpg", "raw/b.jpg", "c.png"):
        picture(tmp_path / "in" / name)
    watcher = watch("--include", "*.JPG", "--exclude", "raw/", "--exclude", "*.gif")
    watcher.wait_until_finished("a.jpg")
    picture(tmp_path / "in" / "raw" / "late.jpg")
    picture(tmp_path / "in" / "z.jpg")
    watcher.wait_until_finished("z.jpg")
    assert watcher.stop() == 0
    report = watcher.events[-1]
    assert (report["counts"]["found"], report["ignored"]) == (2, {"excluded": 1, "not-included": 1})
    assert [(each["pattern"], each["images"], each["is_used"]) for each in report["patterns"]] == [
        ("*.JPG", 2, True), ("raw/", 1, True), ("*.gif", 0, False),
    ]  # fmt: skip


def test_a_folder_that_is_moved_to_is_known_by_any_name(watch, tmp_path):
    picture(tmp_path / "in" / "a.jpg")
    (tmp_path / "in" / "Done").mkdir()
    (tmp_path / "other").symlink_to("in/Done")
    watcher = watch("--move-done", "other")
    watcher.wait_for(lambda _: (tmp_path / "in" / "Done" / "a.jpg").exists())
    picture(tmp_path / "in" / "b.jpg")
    watcher.wait_for(lambda _: (tmp_path / "in" / "Done" / "b.jpg").exists())
    watcher.wait_until_idle()
    assert watcher.stop() == 0
    assert watcher.events[-1]["counts"]["found"] == 2
