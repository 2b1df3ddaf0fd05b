"""One image to one file: exactly this file, in the format of its extension, without state and without a lock."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import pixmill as library
from pixmill.batch.state.stateless import tag_of
from support.pictures import write_picture


@pytest.fixture
def photo(tmp_path):
    write_picture(tmp_path / "photo.jpg", size=(640, 480))
    return tmp_path / "photo.jpg"


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "kind"),
    [("thumb.webp", "WEBP"), ("a/b/thumb.PNG", "PNG"), ("thumb.tif", "TIFF"), ("./thumb.jpeg", "JPEG"), ("x.y.avif", "AVIF")],
)
def test_the_file_is_written_in_the_format_of_its_extension_and_nothing_else(photo, pixmill, name, kind):
    run = pixmill("run", "photo.jpg", name, "--size", "320x")
    assert run.returncode == 0, run.stderr
    with Image.open(photo.parent / name) as picture:
        assert (picture.format, picture.size) == (kind, (320, 240))
    assert len(files(photo.parent)) == 2
    assert len(run.stderr.splitlines()) == 2
    assert run.stderr.splitlines()[1].startswith(f"done      photo.jpg -> {name}, ")


def test_it_may_be_beside_its_source_or_named_by_an_absolute_path(photo, pixmill):
    assert pixmill("run", photo, photo.with_suffix(".webp"), "--quality", "30", "--format", "webp", "--quiet").stderr == ""
    assert files(photo.parent) == ["photo.jpg", "photo.webp"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("photo.jpg", "photo.jpg", "--overwrite"), "SRC photo.jpg and DST photo.jpg are the same file"),
        (("photo.jpg", "hard.jpg", "--overwrite"), "SRC photo.jpg and DST hard.jpg are the same file"),
        (("photo.jpg", "soft.jpg", "--overwrite"), "SRC photo.jpg and DST soft.jpg are the same file"),
        (("photo.jpg", "old.webp"), "DST old.webp already exists"),
        (("photo.jpg", "dangling.webp"), "DST dangling.webp already exists"),
        (("photo.jpg", "new.webp", "--format", "png"), "DST new.webp has the extension of WebP, but PNG is to be written"),
        (
            ("photo.jpg", "new.webp", "--format", "keep"),
            "DST new.webp has the extension of WebP, but JPEG is to be written",
        ),
        (("photo.jpg", "new.webp", "--sizes", "3,4"), "DST new.webp is one file, but 2 are to be made of each image"),
        (("photo.jpg", "new.jpg", "--formats", "jpg,webp"), "DST new.jpg is one file, but 2 are to be made of each image"),
        (("photo.jpg", "new.svg"), "DST new.svg looks like a file, but pixmill does not write SVG"),
        (("folder", "new.webp"), "DST new.webp looks like a file, but SRC folder is a folder"),
        (("list.txt", "new.webp"), "DST new.webp looks like a file, but SRC list.txt is a list of images"),
        (("-", "new.webp"), "DST new.webp looks like a file, but SRC - is a list of images"),
        (("photo.jpg", "new.webp", "--name", "{stem}"), "--name needs a folder as DST, but new.webp looks like a file"),
        (("photo.jpg", "new.webp", "--shard", "1/2"), "--shard needs a folder as DST, but new.webp looks like a file"),
        (("photo.jpg", "new.webp", "--report", "r.html"), "--report needs a folder as DST: no state is kept for new.webp, "),
        (("photo.jpg", "list.txt/new.webp"), "DST list.txt"),
    ],
)
def test_what_is_ambiguous_or_would_replace_a_file_is_refused(photo, pixmill, words, sentence):
    folder = photo.parent
    (folder / "folder").mkdir()
    (folder / "list.txt").write_text("photo.jpg\n")
    (folder / "old.webp").write_bytes(b"of somebody")
    os.link(photo, folder / "hard.jpg")
    (folder / "soft.jpg").symlink_to("photo.jpg")
    (folder / "dangling.webp").symlink_to("nowhere.webp")
    before = {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}
    run = pixmill("run", *words)
    assert run.returncode == 2, run.stderr
    assert run.stderr.startswith(f"pixmill: {sentence}")
    assert {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")} == before


def test_an_existing_file_is_replaced_or_skipped_on_request(photo, pixmill):
    old = photo.with_name("old.webp")
    old.write_bytes(b"of somebody")
    run = pixmill("run", "photo.jpg", "old.webp", "--existing", "skip")
    assert (run.returncode, old.read_bytes()) == (0, b"of somebody")
    assert run.stderr.splitlines()[-1].startswith("skipped   photo.jpg -> old.webp: ")
    assert pixmill("run", "photo.jpg", "old.webp", "--existing", "replace").returncode == 0
    with Image.open(old) as picture:
        assert picture.format == "WEBP"


def test_a_link_is_replaced_itself_not_what_it_leads_to(photo, pixmill):
    write_picture(photo.with_name("kept.png"))
    kept = photo.with_name("kept.png").read_bytes()
    photo.with_name("link.png").symlink_to("kept.png")
    assert pixmill("run", "photo.jpg", "link.png", "--existing", "replace").returncode == 0
    assert photo.with_name("kept.png").read_bytes() == kept
    assert not photo.with_name("link.png").is_symlink()


def test_a_failure_says_why_even_if_quiet_and_leaves_nothing(photo, pixmill):
    photo.write_bytes(b"no image")
    for words in ((), ("--quiet",)):
        run = pixmill("run", "photo.jpg", "thumb.webp", *words)
        assert run.returncode == 1
        assert "photo.jpg: not-an-image: " in run.stderr
        assert "pixmill failures" not in run.stderr
    assert files(photo.parent) == ["photo.jpg"]


def test_json_and_plan_know_the_file(photo, pixmill):
    plan = json.loads(pixmill("plan", "photo.jpg", "thumb.webp", "--json").stdout)
    assert (plan["found"], plan["to_do"], plan["examples"][0]["outputs"]) == (1, 1, ["thumb.webp"])
    assert files(photo.parent) == ["photo.jpg"]
    events = [json.loads(line) for line in pixmill("run", "photo.jpg", "thumb.webp", "--json").stdout.splitlines()]
    assert events[-1]["exit_code"] == 0
    assert events[-1]["counts"]["done"] == 1


def test_a_folder_of_that_name_and_a_slash_mean_a_folder(photo, pixmill):
    assert pixmill("run", "photo.jpg", "thumbs.webp/").returncode == 0
    assert pixmill("run", "photo.jpg", "thumbs.webp", "--force").returncode == 0
    assert (photo.parent / "thumbs.webp" / "photo.jpg").is_file()


def test_many_at_once_may_share_a_new_folder(photo, clean_environment):
    for number in range(6):
        write_picture(photo.parent / "in" / f"{number} x.jpg")
    command = f"ls *.jpg | xargs -P 4 -I{{}} {sys.executable} -m pixmill run {{}} ../out/new/{{}}.webp --quiet"
    done = subprocess.run(command, shell=True, cwd=photo.parent / "in", env=clean_environment, check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert files(photo.parent / "out") == [f"new/{number} x.jpg.webp" for number in range(6)]


def test_the_state_of_a_folder_is_neither_used_nor_changed(photo, pixmill):
    assert pixmill("run", "photo.jpg", "out").returncode == 0
    ledger = photo.parent / "out" / ".pixmill" / "ledger.sqlite"
    before = ledger.read_bytes()
    assert pixmill("run", "photo.jpg", "out/thumb.webp").returncode == 0
    assert ledger.read_bytes() == before
    assert "skipped   1 image" in pixmill("run", "photo.jpg", "out").stderr


def test_what_a_killed_run_left_of_the_same_file_is_removed(photo, pixmill):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, of_another = (photo.with_name(f".pixmill-{tag_of(name)}-{dead.pid}-0.tmp") for name in (b"thumb.webp", b"other.webp"))
    left.write_bytes(b"unfinished")
    of_another.write_bytes(b"unfinished")
    assert pixmill("run", "photo.jpg", "thumb.webp").returncode == 0
    assert (left.exists(), of_another.exists()) == (False, True)


def test_python_does_the_same(photo, monkeypatch):
    monkeypatch.chdir(photo.parent)
    report = library.run(photo, "thumb.webp", size="32x")
    assert (report.counts.done, files(photo.parent)) == (1, ["photo.jpg", "thumb.webp"])
    with pytest.raises(library.ConfigError, match="already exists"):
        library.run("photo.jpg", "thumb.webp")
    report = library.run([photo, "thumb.webp"], "out")
    assert (report.counts.done, len(list(Path("out").glob("*.jpg")))) == (2, 2)


def test_an_object_may_be_either_end(s3, photo, pixmill):
    key = f"s3://{s3}/one/thumb.webp"
    assert pixmill("run", "photo.jpg", key, "--size", "320x").returncode == 0
    run = pixmill("run", "photo.jpg", key)
    assert (run.returncode, run.stderr.splitlines()[0]) == (2, f"pixmill: DST {key} already exists")
    assert pixmill("run", key, "back.png").returncode == 0
    with Image.open(photo.with_name("back.png")) as picture:
        assert (picture.format, picture.size) == ("PNG", (320, 240))
    assert files(photo.parent) == ["back.png", "photo.jpg"]
