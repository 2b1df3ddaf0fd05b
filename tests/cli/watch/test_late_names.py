"""``pixmill watch`` gives names that depend on what is in the images."""

from PIL import Image


def dated(path, year):
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[36867] = f"{year}:05:17 10:11:12"
    Image.new("RGB", (64, 48), (year % 255, 90, 60)).save(path, exif=exif)


def test_an_image_keeps_the_name_by_which_it_came(watch, tmp_path, how):
    watcher = watch(*how, "--name", "{date:%Y}/{stem}.{ext}")
    for folder in ("x", "y"):
        dated(tmp_path / "in" / folder / "a.jpg", 2024)
        watcher.wait_until_finished(f"{folder}/a.jpg")
    dated(tmp_path / "in" / "x" / "a.jpg", 1999)
    watcher.wait_until_finished("x/a.jpg", times=2)
    assert {path.name for path in (tmp_path / "out").glob("2024/*.jpg")} == {"a.jpg", "a.jpg.jpg"}
    assert not (tmp_path / "out" / "1999").exists()


def test_each_image_that_is_moved_out_when_it_is_done_has_a_name_of_its_own(watch, tmp_path, how):
    watcher = watch(*how, "--move-done", "done", "--name", "{date:%Y}/{stem}.{ext}")
    for number, year in enumerate((2024, 1999, 2024)):
        dated(tmp_path / "new.jpg", year)
        (tmp_path / "new.jpg").rename(tmp_path / "in" / "a.jpg")
        watcher.wait_until_finished("a.jpg", times=number + 1)
        watcher.wait_for(lambda events, wanted=number + 1: sum(event["event"] == "source_moved" for event in events) == wanted)
    names = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").glob("[0-9]*/*.jpg")}
    assert names == {"2024/a.jpg", "1999/a.jpg", "2024/a.jpg.jpg"}
