"""``pixmill watch --move-done`` and ``--move-failed``: an inbox that empties itself."""

from tests.cli.conftest import write_picture


def test_an_inbox_empties_into_done_and_failed_and_no_output_is_written_over(watch, tmp_path, how):
    watcher = watch(*how, "--move-done", "done", "--move-failed", "in/failed")
    for number, shade in enumerate((10, 200)):
        write_picture(tmp_path / "new.jpg", shade=shade)
        (tmp_path / "new.jpg").rename(tmp_path / "in" / "a.jpg")
        watcher.wait_until_finished("a.jpg", times=number + 1)
        watcher.wait_for(lambda events, wanted=number + 1: sum(event["event"] == "source_moved" for event in events) == wanted)
    (tmp_path / "in" / "bad.jpg").write_bytes(b"no picture")
    watcher.wait_for(lambda events: sum(event["event"] == "source_moved" for event in events) == 3)
    assert {path.name for path in (tmp_path / "done").iterdir()} == {"a.jpg", "a~2.jpg"}
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["failed"]
    assert [path.name for path in (tmp_path / "in" / "failed").iterdir()] == ["bad.jpg"]
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 2


def test_a_folder_that_is_moved_to_is_known_by_any_name(watch, tmp_path):
    write_picture(tmp_path / "in" / "a.jpg")
    (tmp_path / "in" / "Done").mkdir()
    (tmp_path / "other").symlink_to("in/Done")
    watcher = watch("--move-done", "other")
    watcher.wait_for(lambda _: (tmp_path / "in" / "Done" / "a.jpg").exists())
    write_picture(tmp_path / "in" / "b.jpg")
    watcher.wait_for(lambda _: (tmp_path / "in" / "Done" / "b.jpg").exists())
    watcher.wait_until_idle()
    assert watcher.stop() == 0
    assert watcher.events[-1]["counts"]["found"] == 2
