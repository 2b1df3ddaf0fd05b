"""Names made of what metadata say, of sizes of outputs, of numbers, and of folders."""

import os

import pytest
from PIL import Image

from support.invariants import identities, outputs

NEW_YEAR = 1_704_067_200  # 2024-01-01 00:00:00 in UTC, when it was 2023 in New York


def picture(path, *, camera="", artist="", date="", size=(60, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    for tag, text in ((0x0110, camera), (0x013B, artist)):
        if text:
            exif[tag] = text
    if date:
        exif.get_ifd(0x8769)[36867] = date
    Image.new("RGB", size, (sum(map(ord, path.name)) % 255, 90, 60)).save(path, exif=exif)
    os.utime(path, (NEW_YEAR, NEW_YEAR))


@pytest.fixture
def run(pixmill, tmp_path):
    """Return a function that runs on words and returns the names of the files; or what was said, if the exit code is not 0."""

    def run(*words, source="in", out="out", code=0):
        ended = pixmill("run", source, out, "--executor", "inline", *words)
        assert ended.returncode == code, ended.stderr
        return ended.stderr if code else set(outputs(tmp_path / out))

    return run


def test_the_camera_is_a_folder_that_is_safe_on_every_file_system(run, tmp_path):
    for number, camera in enumerate(("EOS 5D", " ../..\\D90: <2>. ", "", "\u00e9".encode() * 80)):
        picture(tmp_path / "in" / f"{number}.jpg", camera=camera)
    named = {name.partition("/")[::2] for name in run("--name", "{camera|no camera}/{stem}.{ext}")}
    assert named == {
        ("EOS 5D", "0.jpg"), ("-..-D90- -2-", "1.jpg"), ("no camera", "2.jpg"), ("\u00e9" * 50, "3.jpg")
    }  # fmt: skip
    assert {name.partition("/")[0] for name in run("--name", "{artist}/{stem}.{ext}", out="b")} == {"unknown"}


def test_sizes_are_those_of_each_output(run, tmp_path):
    picture(tmp_path / "in" / "a.jpg")
    assert run("--sizes", "30,15", "--name", "{stem}-{width}x{height}.{ext}") == {"a-30x20.jpg", "a-15x10.jpg"}
    cropped = run("--step", "crop:width=7,height=5", "--name", "{width}/{stem}.{ext}", out="b")
    assert cropped == {"7/a.jpg"}


def test_a_size_that_only_the_pixels_tell_is_refused_in_words(run, tmp_path):
    picture(tmp_path / "in" / "a.jpg")
    said = run("--step", "trim", "--name", "{stem}-{width}.{ext}", code=2)
    assert "{width} and {height} cannot be used with trim" in said
    assert not (tmp_path / "out").exists()


def test_numbers_count_the_images_of_a_name_and_stay_with_them(run, tmp_path):
    for number in range(9):
        picture(tmp_path / "in" / f"{number}.jpg", date="2024:05:17 10:11:12" if number % 2 else "2023:01:02 10:11:12")
    words = ("--name", "{date:%Y}/{counter:04}.{ext}")
    names = run(*words)
    assert names == {f"2023/000{n}.jpg" for n in range(1, 6)} | {f"2024/000{n}.jpg" for n in range(1, 5)}
    before = identities(tmp_path / "out")
    for path in (tmp_path / "in").iterdir():
        os.utime(path)
    picture(tmp_path / "in" / "10.jpg", date="2024:05:17 10:11:12")
    picture(tmp_path / "in" / "00.jpg", date="2022:05:17 10:11:12")
    assert run(*words, "--checksum") == names | {"2024/0005.jpg", "2022/0001.jpg"}
    after = identities(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    webp = {name.removesuffix(".webp") for name in run(*words, "--format", "webp") if name.endswith(".webp")}
    assert webp == {name.removesuffix(".jpg") for name in names | {"2024/0005.jpg", "2022/0001.jpg"}}


def test_processes_give_every_number_once(run, pixmill, tmp_path):
    for number in range(40):
        picture(tmp_path / "in" / f"{number}.jpg", size=(8, 8))
    ended = pixmill("run", "in", "out", "--workers", "3", "--name", "{counter:03}")
    assert ended.returncode == 0, ended.stderr
    assert set(outputs(tmp_path / "out")) == {f"{number:03}.jpg" for number in range(1, 41)} == run("--name", "{counter:03}")


def test_an_image_that_failed_after_it_was_named_keeps_its_number(run, tmp_path):
    for number in range(4):
        picture(tmp_path / "in" / f"{number}.jpg")
    whole = (tmp_path / "in" / "1.jpg").read_bytes()
    (tmp_path / "in" / "1.jpg").write_bytes(whole[:-150])
    words = ("--name", "{counter}.{ext}")
    run(*words, code=1)
    assert set(outputs(tmp_path / "out")) == {"1.jpg", "3.jpg", "4.jpg"}
    (tmp_path / "in" / "1.jpg").write_bytes(whole)
    assert run(*words) == {"1.jpg", "2.jpg", "3.jpg", "4.jpg"}


def test_without_folders_names_stay_unique(run, tmp_path):
    for name in ("x.jpg", "a/x.jpg", "b/x.jpg", "b/c/y.png"):
        picture(tmp_path / "in" / name)
    assert run("--flat") == {"x.jpg", "x.jpg.jpg", "x.jpg~2.jpg", "y.jpg"}
    parents = run("--flat", "--name", "{parent}-{stem}.{ext}", out="b")
    assert parents == {"in-x.jpg", "a-x.jpg", "b-x.jpg", "c-y.jpg"}
    assert run("--name", "{parent}-{stem}.{ext}", out="c") == {"in-x.jpg", "a/a-x.jpg", "b/b-x.jpg", "b/c/c-y.jpg"}


def test_the_source_of_an_image_is_the_name_of_what_was_given(pixmill, tmp_path):
    picture(tmp_path / "holiday.2" / "a.jpg")
    picture(tmp_path / "work" / "a.jpg")
    ended = pixmill("run", "holiday.2", "work", "out", "--name", "{source}/{stem}.{ext}")
    assert ended.returncode == 0, ended.stderr
    assert set(outputs(tmp_path / "out")) == {"holiday.2/a.jpg", "work/a.jpg"}


def test_the_dates_of_files_are_told_in_the_time_zone_that_was_given_and_stay(run, tmp_path):
    picture(tmp_path / "in" / "a.jpg")
    picture(tmp_path / "in" / "b.jpg", date="2024:01:01 00:30:00")
    words = ("--name", "{date:%Y-%m-%dT%H}/{stem}.{ext}", "--timezone", "America/New_York")
    assert run(*words) == {"2023-12-31T19/a.jpg", "2024-01-01T00/b.jpg"}
    os.utime(tmp_path / "in" / "a.jpg")
    assert run(*words) == {"2023-12-31T19/a.jpg", "2024-01-01T00/b.jpg"}
    assert "timezone: expected a time zone that this machine knows" in run("--timezone", "Mars", code=2)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("out", "--flat", "--shard", "1/2"), "name: --flat cannot be used with --shard"),
        (("tar://out", "--name", "{camera}/{stem}"), "name: {camera} cannot be used in a dataset"),
        (("out", "--name", "{stem}-{width}", "--max-size", "9kB"), "cannot be used with a maximum size of files"),
        (("out", "--name", "{counter:x}"), "a {counter:DIGITS} with 1 to 9 digits"),
        (("out", "--name", "{model}-{stem}"), "the model of the camera is {camera}"),
        (("out", "--name", "{stem|x}"), "expected a field among"),
    ],
)
def test_what_cannot_work_together_is_refused_in_words(pixmill, words, sentence, tmp_path):
    picture(tmp_path / "in" / "a.jpg")
    ended = pixmill("run", "in", *words)
    assert (ended.returncode, sentence in ended.stderr) == (2, True), ended.stderr
