"""The words of a command line: several sources and then DST, as ``cp`` has it, and patterns that a shell did not expand."""

import json
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from support.pictures import write_picture

OPTIONS = ("-q70", "--size=32x")


@pytest.fixture
def desk(tmp_path):
    """A current folder with loose images, two folders, one of them with a subfolder, and an archive."""
    for number, name in enumerate(
        ["a.jpg", "c d.jpg", "-e.jpg", "A/1.jpg", "A/s/2.jpg", "B/1.jpg", "other/a.jpg", "other/A/1.jpg"]
    ):
        write_picture(tmp_path / name, shade=20 * number)
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as pack:
        pack.write(tmp_path / "a.jpg", "in/z.jpg")
    return tmp_path


def outputs(folder):
    files = (path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in files if path.parts[0] != ".pixmill")


def shade(path):
    with Image.open(path) as picture:
        return picture.getpixel((5, 5))[0]


def test_files_go_beside_each_other_and_folders_below_their_names_with_options_anywhere(desk, pixmill):
    run = pixmill("run", "--quiet", "a.jpg", "A", "c d.jpg", "B/", "pack.zip", *OPTIONS, "--", "-e.jpg", "out")
    assert run.returncode == 0, run.stderr
    assert outputs(desk / "out") == ["-e.jpg", "A/1.jpg", "A/s/2.jpg", "B/1.jpg", "a.jpg", "c d.jpg", "pack/in/z.jpg"]
    assert (
        "skipped   7 images" in pixmill("run", "B", "pack.zip", "A", "c d.jpg", "./a.jpg", *OPTIONS, "--", "-e.jpg", "out").stderr
    )


def test_a_file_with_a_dash_is_pointed_out(desk, pixmill):
    run = pixmill("run", "-e.jpg", "a.jpg", "out", cwd=desk)
    assert (run.returncode, run.stderr.splitlines()[1]) == (2, "  for the file -e.jpg, put -- before the names, or write ./-e.jpg")


def test_equal_names_stay_apart_and_the_same_file_counts_once(desk, pixmill):
    words = ("a.jpg", "other/a.jpg", "./a.jpg", "A", "other/A", "A/", "out")
    assert pixmill("run", *words).returncode == 0
    names = outputs(desk / "out")
    assert len(names) == 5
    assert {"a.jpg", "A/1.jpg", "A/s/2.jpg"} < set(names)
    shades = {name: shade(desk / "out" / name) for name in names}
    assert len(set(shades.values())) == 5
    assert "skipped   5 images" in pixmill("run", *reversed(words[:-1]), "out").stderr
    assert {name: shade(desk / "out" / name) for name in outputs(desk / "out")} == shades


def test_a_folder_with_a_dot_means_its_content(desk, pixmill):
    assert pixmill("run", "../A/.", "../B", "../out", cwd=desk / "other").returncode == 0
    assert outputs(desk / "out") == ["1.jpg", "B/1.jpg", "s/2.jpg"]
    assert pixmill("run", ".", "../A/s", "../here", cwd=desk / "other").returncode == 0
    assert outputs(desk / "here") == ["A/1.jpg", "a.jpg", "s/2.jpg"]


def test_names_need_not_be_text_and_may_be_thousands(tmp_path, pixmill):
    write_picture(tmp_path / "seed.jpg")
    names = [b"\xff%04d.jpg" % number for number in range(3000)]
    for name in names:
        os.link(tmp_path / "seed.jpg", tmp_path / os.fsdecode(name))
    plan = pixmill("plan", *map(os.fsdecode, names), "out", "--json")
    assert json.loads(plan.stdout)["found"] == 3000
    assert pixmill("run", *map(os.fsdecode, names[:2]), "out").returncode == 0
    assert outputs(tmp_path / "out") == list(map(os.fsdecode, names[:2]))


def test_dst_among_the_sources_is_left_out_as_star_names_it(desk, pixmill):
    for _ in range(2):
        run = pixmill("run", *sorted(path.name for path in desk.iterdir() if path.name != "-e.jpg"), "out")
        assert run.returncode == 0, run.stderr
        (desk / "out").mkdir(exist_ok=True)
    assert "output: 1" in run.stderr
    assert "out/a.jpg" not in outputs(desk / "out")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("a.jpg", "A/1.jpg", "c d.jpg"), "DST c d.jpg looks like a file, but there are 2 sources"),
        (("a.jpg", "A", "new.webp"), "DST new.webp looks like a file, but there are 2 sources"),
        (("a.jpg", "A", "notes.txt"), "DST notes.txt is a file, but must be a folder"),
        (("a.jpg", "notes.txt", "out"), "SRC notes.txt is a list of images, which cannot be combined with other sources"),
        (("a.jpg", "-", "out"), "SRC - is a list of images, which cannot be combined with other sources"),
        (("a.jpg", "nowhere.jpg", "out"), "SRC nowhere.jpg does not exist"),
        (("a.jpg", "other/A", "other"), "SRC other/A is inside DST other, where outputs could overwrite it"),
        (("B/1.jpg", "A", "B"), "SRC B/1.jpg is inside DST B, where outputs could overwrite it"),
        (("a.jpg", "", "out"), "SRC must not be empty"),
        (("A", "*.jpg", "out"), "SRC *.jpg does not exist; as a pattern it matches 3 files"),
    ],
)
def test_what_cannot_be_combined_is_refused_in_words(desk, pixmill, words, sentence):
    (desk / "notes.txt").write_text("a.jpg\n")
    before = sorted(path for path in desk.rglob("*"))
    run = pixmill("run", *words)
    assert (run.returncode, run.stderr.splitlines()[0]) == (2, f"pixmill: {sentence}")
    assert sorted(path for path in desk.rglob("*")) == before


def test_later_commands_know_all_sources(desk, pixmill):
    (desk / "B" / "bad.jpg").write_bytes(b"no image")
    assert pixmill("run", "A", "B", "a.jpg", "out", "--report", "report.html").returncode == 1
    config = json.loads(pixmill("status", "out", "--json").stdout)["last_run"]["config"]
    assert config["source"] == [str(desk / "A"), str(desk / "B"), str(desk / "a.jpg")]
    assert pixmill("failures", "out").stdout.startswith(f"{desk}/B/bad.jpg: ")
    write_picture(desk / "B" / "bad.jpg")
    assert pixmill("retry", desk / "out", cwd=desk / "other").returncode == 0
    assert outputs(desk / "out") == ["A/1.jpg", "A/s/2.jpg", "B/1.jpg", "B/bad.jpg", "a.jpg"]
    assert pixmill("verify", "out").returncode == 0
    page = (desk / "report.html").read_text()
    assert str(desk / "B") in page


def test_a_file_with_options_and_the_shards_of_a_run_take_several_sources(desk, pixmill):
    (desk / "job.toml").write_text('source = ["A", "B"]\ndestination = "out"\ninclude = ["/s/*", "1.jpg"]\n')
    for shard in ("1/2", "2/2"):
        assert pixmill("run", "--config", "job.toml", "--shard", shard).returncode in (0, 2)
    assert outputs(desk / "out") == ["A/1.jpg", "A/s/2.jpg", "B/1.jpg"]
    assert pixmill("run", "--input", "A", "--input", "B", "-o", "flags").returncode == 0
    assert outputs(desk / "flags") == ["A/1.jpg", "A/s/2.jpg", "B/1.jpg"]


def test_links_among_the_words_are_counted_or_followed(desk, pixmill):
    (desk / "link.jpg").symlink_to("a.jpg")
    run = pixmill("run", "link.jpg", "c d.jpg", "out")
    assert "symlink: 1" in run.stderr
    assert outputs(desk / "out") == ["c d.jpg"]
    assert pixmill("run", "link.jpg", "c d.jpg", "all", "--follow-symlinks").returncode == 0
    assert outputs(desk / "all") == ["c d.jpg", "link.jpg"]


def test_a_dataset_takes_several_sources(desk, pixmill):
    assert pixmill("run", "A", "B", "tar://train").returncode == 0
    with tarfile.open(next((desk / "train").glob("*.tar"))) as shard:
        assert [name for name in shard.getnames() if name.endswith(".jpg")] == ["A/1.jpg", "A/s/2.jpg", "B/1.jpg"]


def test_only_one_folder_is_watched(desk, pixmill):
    (desk / "job.toml").write_text('source = ["A", "B"]\n')
    run = pixmill("watch", "--config", "job.toml", "--out", "out")
    assert (run.returncode, run.stderr.splitlines()[0]) == (2, "pixmill: watch takes one folder, received 2 sources: A, B")
    assert pixmill("watch", "A", "B", "out").returncode == 2


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("*.jpg", "write pixmill run *.jpg out, or pixmill run . out --include '*.jpg'"),
        ("**/*.jpg", "write pixmill run . out --include '*.jpg'"),
        ("A/*.{jpg,png}", "write pixmill run A/*.{jpg,png} out, or pixmill run A out --include '*.jpg' --include '*.png'"),
        ("A\\*.jpg", "write pixmill run A/*.jpg out, or pixmill run A out --include '*.jpg'"),
        ("c *.jpg", "write pixmill run . out --include 'c *.jpg'"),
        ("*.gif", "for every image in the folder: pixmill run . out"),
        ("nowhere/*.gif", "there is no folder nowhere"),
    ],
)
def test_a_quoted_pattern_says_how_to_write_it(desk, pixmill, pattern, hint):
    run = pixmill("run", pattern, "out")
    assert (run.returncode, run.stderr.splitlines()[1]) == (2, f"  {hint}")
    if "--include" in hint:
        command = hint.rpartition("pixmill ")[2].replace("'", "")
        words = command.split() if " *" not in pattern else ["run", ".", "out", "--include", pattern]
        assert pixmill(*words).returncode == 0
        assert outputs(desk / "out")


def test_a_file_may_be_called_like_a_pattern(desk, pixmill):
    write_picture(desk / "[1]*.jpg")
    assert pixmill("run", "[1]*.jpg", "out").returncode == 0
    assert outputs(desk / "out") == ["[1]*.jpg"]


def test_a_bucket_stands_beside_a_folder(s3, desk, pixmill):
    home = {"XDG_STATE_HOME": str(desk / "state")}  # what is known of a bucket of an earlier test must not count
    assert pixmill("run", "A", f"s3://{s3}/words/A", env=home).returncode == 0
    assert pixmill("run", f"s3://{s3}/words/A", "B", "a.jpg", "out").returncode == 0
    assert outputs(desk / "out") == ["A/1.jpg", "A/s/2.jpg", "B/1.jpg", "a.jpg"]
    run = pixmill("run", "a.jpg", f"s3://{s3}/words/A", f"s3://{s3}/words", env=home)
    assert (run.returncode, "is inside DST" in run.stderr) == (2, True)


def test_a_pattern_that_the_shell_has_replaced_is_recognised(desk, pixmill):
    run = pixmill("run", "A", "out", "--include", "a.jpg", "c d.jpg", cwd=desk)  # --include *.jpg
    assert run.returncode == 2
    assert "quote patterns, such as --include '*.jpg'" in run.stderr
