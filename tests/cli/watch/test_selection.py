"""What ``pixmill watch`` takes and what it leaves out: patterns, links, and its own outputs."""

from tests.cli.conftest import write_picture


def test_what_lies_in_the_output_is_never_taken_whatever_leads_there(watch, tmp_path):
    write_picture(tmp_path / "in" / "a.jpg")
    watcher = watch("--follow-symlinks", "--poll", "100ms")
    watcher.wait_until_finished("a.jpg")
    (tmp_path / "in" / "whole").symlink_to("../out")
    (tmp_path / "in" / "again.jpg").symlink_to("../out/a.jpg")
    write_picture(tmp_path / "in" / "z.jpg")
    watcher.wait_until_finished("z.jpg")
    watcher.wait_until_idle()
    assert watcher.stop() == 0
    assert watcher.events[-1]["counts"]["found"] == 2


def test_links_that_are_left_out_are_counted(watch, tmp_path, how):
    write_picture(tmp_path / "in" / "a.jpg")
    (tmp_path / "in" / "b.jpg").symlink_to("a.jpg")
    watcher = watch(*how)
    watcher.wait_until_finished("a.jpg")
    watcher.wait_until_idle()
    assert watcher.stop() == 0
    assert watcher.events[-1]["ignored"] == {"symlink": 1}


def test_patterns_apply_to_what_was_there_and_to_what_arrives(watch, tmp_path):
    for name in ("a.jpg", "raw/b.jpg", "c.png"):
        write_picture(tmp_path / "in" / name)
    watcher = watch("--include", "*.JPG", "--exclude", "raw/", "--exclude", "*.gif")
    watcher.wait_until_finished("a.jpg")
    write_picture(tmp_path / "in" / "raw" / "late.jpg")
    write_picture(tmp_path / "in" / "z.jpg")
    watcher.wait_until_finished("z.jpg")
    assert watcher.stop() == 0
    report = watcher.events[-1]
    assert (report["counts"]["found"], report["ignored"]) == (2, {"excluded": 1, "not-included": 1})
    assert [(each["pattern"], each["images"], each["is_used"]) for each in report["patterns"]] == [
        ("*.JPG", 2, True), ("raw/", 1, True), ("*.gif", 0, False),
    ]  # fmt: skip
