"""An input is never changed and an output is never an input, by whatever name, link, mount or list either is reached."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import zipfile
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from PIL import Image

from support.fault_run import COMMAND

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


@pytest.fixture
def source(tmp_path):
    """Make a folder of four pictures, one of them deeper."""
    folder = tmp_path / "src"
    (folder / "sub").mkdir(parents=True)
    for number, name in enumerate(("a.jpg", "b.png", "c.jpg", "sub/d.jpg")):
        Image.new("RGB", (40 + number, 30), (60 * number, 90, 200)).save(folder / name)
    return folder


@pytest.fixture
def bind():
    """Return a function that shows one folder at another place, too, until the end of the test."""
    with ExitStack() as stack:

        def mount(folder, place):
            place.mkdir(exist_ok=True, parents=True)
            subprocess.run(["mount", "--bind", folder, place], check=True)
            stack.callback(subprocess.run, ["umount", "--lazy", place], check=False)
            return place

        yield mount


@pytest.fixture
def ignoring_case(tmp_path):
    """Return a folder on a file system that takes ``Photos`` and ``photos`` for one name."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("lowntfs-3g", "mkfs.ntfs"))):
        pytest.skip("a file system that ignores case needs root and lowntfs-3g")
    image, place = tmp_path / "ntfs.img", tmp_path / "ntfs"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ntfs", "-qF", image], check=True, capture_output=True)
    mounted = subprocess.run(["lowntfs-3g", "-o", "ignore_case", image, place], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("lowntfs-3g cannot mount here")
    yield place
    with suppress(subprocess.CalledProcessError):
        subprocess.run(["umount", "--lazy", place], check=True)


def digests(*folders):
    """Return the digest of every file that is no state of pixmill's."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and ".pixmill" not in path.parts
    }


def run(*words, command="run", cwd=None):
    line = [*COMMAND, command, *words, *(["--workers", "1"] if command == "run" else [])]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False, cwd=cwd)


def report(*words):
    """Run to the end and return what the last line of ``--json`` says."""
    ended = run(*words, "--json")
    assert ended.returncode in (0, 1), ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def refused(ended, *words):
    assert ended.returncode == 2, ended.stderr
    assert all(str(word) in ended.stderr for word in words), ended.stderr
    return True


def test_a_name_in_another_case(source, ignoring_case):
    shutil.copytree(source, ignoring_case / "Photos")
    before = digests(ignoring_case)
    assert refused(run("Photos", "photos", cwd=ignoring_case), "SRC Photos and DST photos are the same folder")
    assert refused(run("Photos/SUB", "photos", cwd=ignoring_case), "SRC Photos/SUB is inside DST photos")
    assert refused(run("PHOTOS/a.jpg", "photos", cwd=ignoring_case), "SRC PHOTOS/a.jpg is inside DST photos")
    assert digests(ignoring_case) == before


def test_an_output_in_the_input_in_another_case_is_not_taken(source, ignoring_case):
    shutil.copytree(source, ignoring_case / "Photos")
    (ignoring_case / "Photos" / "Out").mkdir()
    for _ in range(2):
        done = report(ignoring_case / "Photos", ignoring_case / "photos" / "out")
        assert done["counts"]["found"] == 4
        assert done["ignored"] == {"output": 1}


@needs_root
def test_a_bind_mount_of_the_source(source, tmp_path, bind):
    place = bind(source, tmp_path / "bm")
    before = digests(source)
    assert refused(run(source, place), f"SRC {source} and DST {place} are the same folder")
    assert refused(run(place, source), f"SRC {place} and DST {source} are the same folder")
    assert refused(run(source / "sub", place), f"SRC {source / 'sub'} is inside DST {place}")
    assert digests(source) == before


@needs_root
def test_a_bind_mount_of_a_folder_around_the_source(source, tmp_path, bind):
    place = bind(source.parent, tmp_path.parent / f"{tmp_path.name}-around")
    before = digests(source)
    assert refused(run(source, place), "is inside DST")
    assert digests(source) == before


@needs_root
def test_a_bind_mount_of_a_folder_in_the_output(source, tmp_path, bind):
    out = tmp_path / "out"
    report(source, out)
    place = bind(out / "sub", tmp_path / "bm")
    before = digests(out)
    assert refused(run(place, out), f"SRC {place} is inside DST {out}")
    assert digests(out) == before


def test_a_link_to_the_output_and_into_it(source, tmp_path):
    out = tmp_path / "out"
    report(source, out)
    (tmp_path / "whole").symlink_to(out)
    (tmp_path / "part").symlink_to(out / "sub")
    (tmp_path / "one.jpg").symlink_to(out / "a.jpg")
    before = digests(out)
    assert refused(run(tmp_path / "whole", out), "are the same folder")
    assert refused(run(tmp_path / "part", out), "is inside DST")
    assert refused(run(tmp_path / "one.jpg", out, "--follow-symlinks"), "is inside DST")
    assert digests(out) == before


def test_an_output_that_is_a_link(source, tmp_path):
    (tmp_path / "out").symlink_to(source)
    before = digests(source)
    assert refused(run(source, tmp_path / "out"), "are the same folder")
    assert digests(source) == before


def test_the_root_as_the_output(source):
    before = digests(source)
    assert refused(run(source, "/"), "is inside DST /")
    assert digests(source) == before


@pytest.mark.parametrize("form", ["{}", "zip://{}"])
def test_an_archive_in_the_output(source, tmp_path, form):
    out = tmp_path / "out"
    out.mkdir()
    with zipfile.ZipFile(out / "in.zip", "w") as archive:
        archive.write(source / "a.jpg", "in.zip/a.jpg")
    before = digests(out)
    (tmp_path / "link.zip").symlink_to(out / "in.zip")
    assert refused(run(form.format(out / "in.zip"), out), f"in.zip is inside DST {out}")
    assert refused(run(form.format(tmp_path / "link.zip"), out), "link.zip is inside DST")
    assert digests(out) == before


def test_a_dataset_where_the_source_is(source):
    before = digests(source)
    assert refused(run(source, f"tar://{source}"), "are the same folder")
    assert refused(run(source / "sub", f"tar://{source}"), "is inside DST")
    assert digests(source) == before


def test_the_parts_of_a_dataset_are_no_input(source, tmp_path):
    report(source, f"tar://{tmp_path / 'set'}")
    assert refused(run(tmp_path / "set" / ".pixmill" / "parts", f"tar://{tmp_path / 'set'}"), "is inside DST")


def test_nothing_of_a_list_is_written_over_when_the_output_is_the_root(source, tmp_path):
    (tmp_path / "list.txt").write_text("".join(f"{path}\n" for path in digests(source)))
    planned = json.loads(run(tmp_path / "list.txt", "/", "--json", command="plan").stdout)
    assert (planned["found"], planned["outputs"]) == (4, 0)  # each can only fail


def test_rows_are_refused_by_where_they_really_lie(source, tmp_path):
    out = tmp_path / "out"
    report(source, out)
    (tmp_path / "whole").symlink_to(out)
    (tmp_path / "one.jpg").symlink_to(out / "a.jpg")
    before = digests(source, out)
    rows = [out / "a.jpg", tmp_path / "whole" / "b.jpg", tmp_path / "whole" / "sub" / "d.jpg", "one.jpg", source / "c.jpg"]
    (tmp_path / "list.txt").write_text("".join(f"{row}\n" for row in rows))
    done = report(tmp_path / "list.txt", out, "--follow-symlinks")
    assert (done["counts"]["done"], done["counts"]["failed"]) == (1, 4)
    failed = run(out, command="failures").stdout
    assert failed.count(f"is inside DST {out}") == 4
    assert {path: digest for path, digest in digests(source, out).items() if path in before} == before


@needs_root
def test_rows_behind_a_bind_mount_of_the_output(source, tmp_path, bind):
    out = tmp_path / "out"
    report(source, out)
    whole, part = bind(out, tmp_path / "whole"), bind(out / "sub", tmp_path / "part")
    before = digests(source, out)
    (tmp_path / "list.txt").write_text(f"{whole}/a.jpg\n{part}/d.jpg\n")
    done = report(tmp_path / "list.txt", out)
    assert (done["counts"]["done"], done["counts"]["failed"]) == (0, 2)
    assert digests(source, out) == before


def test_a_row_that_names_the_ledger_fails_alone(source, tmp_path):
    out = source
    (source / "list.txt").write_text(".pixmill/ledger.sqlite\nx/.PixMill/y.jpg\na.jpg\n")
    for name in (".pixmill/ledger.sqlite", "x/.PixMill/y.jpg"):
        (source / name).parent.mkdir(parents=True)
        shutil.copy(source / "c.jpg", source / name)
    out = tmp_path / "out"
    before = digests(source)
    done = report(source / "list.txt", out, "--name", "{dir}/{name}")
    assert (done["counts"]["done"], done["counts"]["failed"]) == (1, 2)
    assert done["failures"]["reserved"]["count"] == 2
    assert digests(source) == before
    assert (out / ".pixmill" / "ledger.sqlite").read_bytes().startswith(b"SQLite")
    assert run(out, command="status").returncode == 0


def mark(out, place):
    """Make ``place`` look as a second mount of ``out`` does that has inodes of its own: the identity file is there, too."""
    (place / ".pixmill").mkdir(parents=True, exist_ok=True)
    shutil.copy(out / ".pixmill" / "output-id", place / ".pixmill" / "output-id")


def test_a_source_with_the_mark_of_the_output(source, tmp_path):
    report(source, tmp_path / "out")
    mark(tmp_path / "out", source)
    before = digests(source, tmp_path / "out")
    assert refused(run(source, tmp_path / "out"), "are the same folder", "identity file")
    assert refused(run(source / "sub", tmp_path / "out"), "identity file")
    assert digests(source, tmp_path / "out") == before


def test_a_folder_with_the_mark_of_the_output(source, tmp_path):
    report(source, tmp_path / "out")
    (source / "sub" / "deep").mkdir()
    shutil.copy(source / "a.jpg", source / "sub" / "deep" / "e.jpg")
    mark(tmp_path / "out", source / "sub")
    done = report(source, tmp_path / "out")
    assert done["counts"]["found"] == 3
    assert done["ignored"] == {"output": 1}


@needs_root
def test_an_overlay_of_the_output(source, tmp_path):
    out, place = tmp_path / "out", source / "seen"
    report(source, out)
    for folder in (tmp_path / "upper", tmp_path / "work", place):
        folder.mkdir()
    options = f"lowerdir={out},upperdir={tmp_path / 'upper'},workdir={tmp_path / 'work'}"
    if subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, place], check=False, capture_output=True).returncode:
        pytest.skip("no overlay can be mounted here")
    try:
        assert place.stat().st_ino != out.stat().st_ino or place.stat().st_dev != out.stat().st_dev
        done = report(source, out)
        assert (done["counts"]["found"], done["ignored"]) == (4, {"output": 1})
        assert refused(run(place, out), "are the same folder")
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_links_into_the_output_are_ignored_with_a_reason(source, tmp_path):
    out = tmp_path / "out"
    report(source, out)
    before = digests(source, out)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "x.jpg").symlink_to(out / "c.jpg")
    Image.new("RGB", (9, 9)).save(elsewhere / "y.jpg")
    (tmp_path / "first").symlink_to(tmp_path / "second")
    (tmp_path / "second").symlink_to(out)
    (source / "e.jpg").symlink_to("../out/a.jpg")
    (source / "whole").symlink_to("../out")
    (source / "part").symlink_to("../out/sub")
    (source / "chain").symlink_to("../first")
    (source / "elsewhere").symlink_to(elsewhere)
    for _ in range(2):
        done = report(source, out, "--follow-symlinks")
        assert done["counts"]["found"] == 5  # and y.jpg
        assert done["ignored"] == {"output": 5}
    after = digests(source, out)
    assert {path: after[path] for path in before} == before


@needs_root
def test_a_bind_mount_of_the_output_in_the_source(source, tmp_path, bind):
    out = tmp_path / "out"
    report(source, out)
    bind(out, source / "whole")
    bind(out / "sub", source / "part")
    done = report(source, out)
    assert (done["counts"]["found"], done["ignored"]) == (4, {"output": 2})


@needs_root
def test_a_bind_mount_of_the_output_before_its_first_run(source, tmp_path, bind):
    out = tmp_path / "out"
    out.mkdir()
    bind(out, source / "sub" / "seen")
    for _ in range(2):
        done = report(source, out)
        assert (done["counts"]["found"], done["ignored"]) == (4, {"output": 1})


def test_they_are_counted_with_the_option_that_takes_them(source, tmp_path):
    (source / "link.jpg").symlink_to("a.jpg")
    (source / "sub" / "folder").symlink_to(tmp_path)
    (source / ".hidden.jpg").symlink_to("a.jpg")
    planned = run(source, tmp_path / "out", command="plan")
    assert "2 files: symlink (--follow-symlinks includes them)" in planned.stdout
    assert json.loads(run(source, tmp_path / "out", "--json", command="plan").stdout)["ignored"] == {"symlink": 2, "hidden": 1}
    ended = run(source, tmp_path / "out")
    assert ended.returncode == 0
    assert "ignored   hidden: 1, symlink: 2 (--follow-symlinks includes them)" in ended.stdout + ended.stderr
    assert report(source, tmp_path / "out")["ignored"] == {"symlink": 2, "hidden": 1}


def test_a_folder_of_links_names_the_option(source, tmp_path):
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.jpg").symlink_to(source / "a.jpg")
    assert refused(run(tmp_path / "links", tmp_path / "out"), "no images found", "--follow-symlinks")
    assert report(tmp_path / "links", tmp_path / "out", "--follow-symlinks")["counts"]["done"] == 1


def test_a_row_that_is_a_link_names_the_option(source, tmp_path):
    (tmp_path / "link.jpg").symlink_to(source / "a.jpg")
    (tmp_path / "list.txt").write_text("link.jpg\n")
    ended = run(tmp_path / "list.txt", tmp_path / "out")
    assert ended.returncode == 1
    assert re.search(r"pixmill retry \S+ --follow-symlinks", ended.stdout + ended.stderr)
    assert "link.jpg is a symbolic link" in run(tmp_path / "out", command="failures").stdout
    assert report(tmp_path / "list.txt", tmp_path / "out", "--follow-symlinks")["counts"]["done"] == 1


def test_a_link_as_the_source_names_the_option(source, tmp_path):
    (tmp_path / "a.jpg").symlink_to(source / "a.jpg")
    assert refused(run(tmp_path / "a.jpg", tmp_path / "out"), "is a symbolic link", "--follow-symlinks")
    assert report(tmp_path / "a.jpg", tmp_path / "out", "--follow-symlinks")["counts"]["done"] == 1


@needs_root
def test_a_source_that_turns_out_to_be_the_output_once_that_has_a_mark(source, tmp_path):
    """A second view of a folder with inodes of its own, before the first run: the mark is made, seen in SRC, and nothing else."""
    place = tmp_path / "seen"
    for folder in (tmp_path / "upper", tmp_path / "work", place):
        folder.mkdir()
    options = f"lowerdir={source},upperdir={tmp_path / 'upper'},workdir={tmp_path / 'work'}"
    if subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, place], check=False, capture_output=True).returncode:
        pytest.skip("no overlay can be mounted here")
    try:
        before = digests(source)
        assert refused(run(place, source), f"SRC {place} and DST {source} are the same folder", "identity file")
        assert digests(source) == before
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
