"""Names that depend on what is in an image: dates and sizes, given once, unique over the whole output, kept for ever."""

import json
import os
import shutil
import tarfile
from datetime import UTC, datetime
from importlib.util import find_spec

import pytest
from PIL import Image

from pixmill.batch.worker.late_facts import MAX_HEADER_BYTES
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.storage.open import open_storage
from support.invariants import counts, identities, outputs
from support.web_server import Answer, serving

BY_MONTH = "{date:%Y/%m}/{stem}.{ext}"
SECOND = 1_000_000_000
AGES_AGO = 1_000_000_000 * SECOND  # 2001-09-09 01:46:40 in UTC


def picture(path, date=None, *, size=(64, 48), orientation=0):
    """Write a picture that was taken at ``date``; without one, only its file has a date, in 2001."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[271] = "maker"
    if orientation:
        exif[0x112] = orientation
    if date:
        exif.get_ifd(0x8769)[36867] = date
    shade = sum(map(ord, str(path))) % 255
    Image.new("RGB", size, (shade, 90, 60)).save(path, "PNG" if path.suffix == ".png" else "JPEG", exif=exif)
    os.utime(path, ns=(AGES_AGO, AGES_AGO))


@pytest.fixture
def camera(tmp_path):
    """Return a folder of pictures of two cameras, which count from 1."""
    folder = tmp_path / "camera"
    picture(folder / "a" / "IMG_1.jpg", "2024:05:17 10:11:12")
    picture(folder / "a" / "IMG_2.jpg", "2024:06:01 00:00:00")
    picture(folder / "b" / "IMG_1.jpg", "2024:05:18 23:59:59")
    picture(folder / "b" / "IMG_3.png", "2023:12:31 23:59:59", size=(30, 20))
    picture(folder / "scan.jpg")
    return folder


@pytest.fixture
def run(pixmill, tmp_path):
    """Return a function that runs on words, with the template of months, and returns the names of the files."""

    def run(*words, name=BY_MONTH, source="camera", code=0):
        ended = pixmill("run", source, "out", "--executor", "inline", "--name", name, *words)
        assert ended.returncode == code, ended.stderr
        return set(outputs(tmp_path / "out"))

    return run


def owners(folder):
    ledger = SqliteLedger(folder / ".pixmill" / "ledger.sqlite", read_only=True)
    try:
        return {name.replace(b"\0", b"/").decode(): owner.decode() for name, owner in ledger.owners(b"", b"\xff")}
    finally:
        ledger.close()


@pytest.mark.usefixtures("camera")
def test_pictures_of_all_folders_are_sorted_by_when_they_were_taken(run, tmp_path):
    names = run()
    may = {"2024/05/IMG_1.jpg", "2024/05/IMG_1.jpg.jpg"}
    assert names == may | {"2024/06/IMG_2.jpg", "2023/12/IMG_3.jpg", "2001/09/scan.jpg"}
    assert {owners(tmp_path / "out")[name.lower()] for name in may} == {"a/IMG_1.jpg", "b/IMG_1.jpg"}
    assert len(owners(tmp_path / "out")) == len(names)


def test_sizes_are_those_of_the_upright_picture(run, tmp_path):
    picture(tmp_path / "camera" / "p.jpg", orientation=6)
    assert run(name="{stem}-{width}x{height}.{ext}", code=0) == {"p-48x64.jpg"}


@pytest.mark.usefixtures("camera")
def test_a_second_run_reads_no_image(pixmill, tmp_path):
    words = ("run", "camera", "out", "--name", BY_MONTH, "--format", "keep", "--json")
    first = [json.loads(line) for line in pixmill(*words).stdout.splitlines()]
    before = identities(tmp_path / "out")
    second = [json.loads(line) for line in pixmill(*words).stdout.splitlines()]
    assert sum(event.get("event") == "attempt_started" for event in first) == 5
    assert not any(event.get("event") == "attempt_started" for event in second)
    assert second[-1]["counts"]["skipped"] == 5
    assert identities(tmp_path / "out") == before


def test_a_picture_whose_content_is_compared_keeps_its_name(run, camera, tmp_path):
    run("--checksum")
    before = identities(tmp_path / "out")
    for path in camera.rglob("*.*"):
        os.utime(path)
    run("--checksum")
    assert identities(tmp_path / "out") == before
    for path in camera.rglob("*.*"):
        os.utime(path, ns=(1, 1))
    run("--quality", "50")
    assert set(outputs(tmp_path / "out")) == set(before)


def test_touching_or_replacing_a_picture_renames_nothing(run, camera):
    names = run()
    for path in camera.rglob("*.*"):
        os.utime(path)
    picture(camera / "a" / "IMG_1.jpg", "1999:01:01 00:00:00")
    assert run() == names
    picture(camera / "a" / "IMG_9.jpg", "1999:01:01 00:00:00")
    assert run() == names | {"1999/01/IMG_9.jpg"}


def test_another_format_or_template_has_the_same_dates(run, camera):
    names = run()
    for path in camera.rglob("*.*"):
        os.utime(path)
    webp = run("--format", "webp") - names
    assert {name.removesuffix(".webp") for name in webp} == {name.removesuffix(".jpg") for name in names}
    assert {"2001/scan.jpg", "2024-17/IMG_1.jpg", "2024-18/IMG_1.jpg"} <= {
        *run(name="{date:%Y}/{stem}.{ext}"),
        *run(name="{date:%Y-%d}/{stem}.{ext}"),
    }


@pytest.mark.usefixtures("camera")
def test_several_renditions_and_the_format_of_the_source(run, tmp_path):
    names = run("--sizes", "20,10", "--format", "keep", name="{date:%Y}/{stem}_{width}.{ext}")
    assert len(names) == 2 * 5
    assert {name for name in names if name.startswith("2023")} == {"2023/IMG_3_10.png", "2023/IMG_3_20.png"}
    before = identities(tmp_path / "out")
    run("--sizes", "20,10", "--format", "keep", name="{date:%Y}/{stem}_{width}.{ext}")
    assert identities(tmp_path / "out") == before


def test_sources_that_come_later_do_not_take_names(run, camera, tmp_path):
    names = run()
    shutil.copytree(camera / "a", tmp_path / "more")
    more = run(source="more") - names
    assert more == {"2024/05/IMG_1.jpg~2.jpg", "2024/06/IMG_2.jpg.jpg"}
    assert run() == names | more


def test_the_name_of_a_picture_that_was_removed_is_free_again(run, camera, tmp_path):
    names = run()
    picture(camera / "a" / "new" / "scan.jpg")
    (camera / "scan.jpg").unlink()
    assert run("--mirror", "--max-delete", "100%") == names - {"2001/09/scan.jpg"} | {"2001/09/scan.jpg.jpg"}
    picture(camera / "b" / "scan.jpg")
    assert owners(tmp_path / "out")["2001/09/scan.jpg.jpg"] == "a/new/scan.jpg"
    assert run() == names | {"2001/09/scan.jpg.jpg"}


def test_a_picture_that_cannot_be_read_fails_and_the_others_do_not(run, camera, tmp_path):
    (camera / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    assert len(run(code=1)) == 5
    assert counts(tmp_path / "out").failed == 1
    picture(camera / "broken.jpg", "2020:02:02 00:00:00")
    assert "2020/02/broken.jpg" in run()


def test_an_occupied_name_fails_once_and_is_not_read_again(run, camera, tmp_path, pixmill):
    taken = tmp_path / "out" / "2001" / "09" / "scan.jpg"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"of somebody else")
    assert len(run(code=1)) == 5
    status = (camera / "scan.jpg").stat()
    (camera / "scan.jpg").write_bytes(bytes(status.st_size))
    os.utime(camera / "scan.jpg", ns=(status.st_atime_ns, status.st_mtime_ns))
    ended = pixmill("run", "camera", "out", "--name", BY_MONTH)
    assert ended.returncode == 1
    assert taken.read_bytes() == b"of somebody else"
    failures = json.loads(pixmill("failures", "out", "--json").stdout.splitlines()[0])
    assert "exists" in json.dumps(failures)


def test_a_reserved_name_is_refused_also_if_it_is_late(run, tmp_path):
    assert run(name=".pixmill{date:/%Y}/{stem}.{ext}", code=2) == set()
    picture(tmp_path / "camera" / "pixmil~1.jpg")  # the name of the state folder on FAT
    assert not any("pixmil~1" in name for name in run(name="{stem}{date:/%Y}.{ext}", code=1))


@pytest.mark.usefixtures("camera")
def test_a_collision_can_be_refused(pixmill):
    ended = pixmill("run", "camera", "out", "--name", BY_MONTH, "--on-collision", "error")
    assert ended.returncode == 2
    assert "the output name 2024/05/IMG_1.jpg of" in ended.stderr
    assert "--on-collision suffix" in ended.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("out", "--shard", "1/2"), "name: {date} cannot be used with --shard"),
        (("tar://out",), "name: {date} cannot be used in a dataset"),
        (("one.jpg",), "--name"),
    ],
)
@pytest.mark.usefixtures("camera")
def test_where_names_cannot_be_late_they_are_refused(pixmill, words, sentence, tmp_path):
    source = "camera/scan.jpg" if words[0] == "one.jpg" else "camera"
    ended = pixmill("run", source, *words, "--name", BY_MONTH)
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("template", ["{date:%Q}/{stem}.{ext}", "{date:%Y}.{ext}", "{dates}"])
@pytest.mark.usefixtures("camera")
def test_a_template_that_means_nothing_is_refused_in_words(pixmill, template):
    ended = pixmill("run", "camera", "out", "--name", template)
    assert ended.returncode == 2
    assert f"received {template}" in ended.stderr


def test_a_plan_shows_the_template_and_reads_nothing(pixmill, camera, tmp_path):
    for path in camera.rglob("*.*"):
        path.write_bytes(bytes(100))
    ended = pixmill("plan", "camera", "out", "--name", BY_MONTH)
    assert ended.returncode == 0
    assert "5 outputs, when the images are read" in ended.stdout
    assert "scan.jpg -> {date:%Y/%m}/{stem}.{ext}" in ended.stdout
    record = json.loads(pixmill("plan", "camera", "out", "--name", BY_MONTH, "--json").stdout)
    assert (record["late_names"], record["outputs"]) == (5, 5)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("camera")
def test_a_sample_has_the_names_of_the_run(pixmill, tmp_path):
    ended = pixmill("run", "camera", "out", "--name", BY_MONTH, "--sample", "5", env={"TMPDIR": str(tmp_path)})
    assert ended.returncode == 0, ended.stderr
    (scan,) = tmp_path.rglob("2001/09/scan.jpg")
    assert len(outputs(scan.parents[2])) == 5


def test_lists_and_archives_are_named_by_what_is_in_their_images(pixmill, camera, tmp_path):
    (tmp_path / "list.txt").write_text("camera/a/IMG_1.jpg\ncamera/scan.jpg\n")
    assert pixmill("run", "list.txt", "listed", "--name", BY_MONTH).returncode == 0
    assert set(outputs(tmp_path / "listed")) == {"2024/05/IMG_1.jpg", "2001/09/scan.jpg"}
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        archive.add(camera, "camera")
    assert pixmill("run", "all.tar", "unpacked", "--name", BY_MONTH).returncode == 0
    assert len(outputs(tmp_path / "unpacked")) == 5
    assert "2001/09/scan.jpg" in outputs(tmp_path / "unpacked")


@pytest.mark.usefixtures("camera")
def test_processes_make_what_one_process_makes(pixmill, run, tmp_path):
    names = run()
    ended = pixmill("run", "camera", "many", "--name", BY_MONTH, "--workers", "3")
    assert ended.returncode == 0, ended.stderr
    assert set(outputs(tmp_path / "many")) == names


@pytest.mark.slow
@pytest.mark.skipif(find_spec("distributed") is None, reason="the extra dask is not installed")
@pytest.mark.usefixtures("camera")
def test_a_cluster_makes_what_one_process_makes(pixmill, run, tmp_path):
    names = run()
    ended = pixmill("run", "camera", "cluster", "--name", BY_MONTH, "--executor", "dask")
    assert ended.returncode == 0, ended.stderr
    assert set(outputs(tmp_path / "cluster")) == names


def test_in_buckets_the_end_of_a_file_is_read_if_need_be_and_its_time_is_that_of_the_store(s3, pixmill, tmp_path):
    exif = Image.Exif()
    exif[271] = "maker"
    exif.get_ifd(0x8769)[36867] = "2021:05:17 10:11:12"
    noise = Image.effect_noise((900, 900), 99)
    noise.save(tmp_path / "large.webp", lossless=True, exif=exif)
    assert (tmp_path / "large.webp").stat().st_size > MAX_HEADER_BYTES
    picture(tmp_path / "plain.jpg", "2024:05:17 10:11:12")
    picture(tmp_path / "undated.png")
    bucket = f"s3://{s3}/{tmp_path.name}"
    storage = open_storage(f"{bucket}/in")
    for name in ("large.webp", "plain.jpg", "undated.png"):
        storage.write(name.encode(), (tmp_path / name).read_bytes(), durable=False)
    before = datetime.now(UTC)
    for _ in range(2):
        ended = pixmill("run", f"{bucket}/in", f"{bucket}/out", "--name", BY_MONTH, "--state", "state", "--json")
        assert ended.returncode == 0, ended.stderr
        names = {
            entry.path for entries in open_storage(f"{bucket}/out").list() for entry in entries if b"pixmill" not in entry.path
        }
        assert names <= {b"2021/05/large.jpg", b"2024/05/plain.jpg"} | {
            f"{moment:%Y/%m}/undated.jpg".encode() for moment in (before, datetime.now(UTC))
        }
        assert len(names) == 3
    assert json.loads(ended.stdout.splitlines()[-1])["counts"]["skipped"] == 3


def test_a_list_of_urls_is_named_by_what_the_servers_say(pixmill, tmp_path):
    picture(tmp_path / "plain.jpg")
    answers = {
        "/told.jpg": Answer((tmp_path / "plain.jpg").read_bytes(), headers={"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        "/silent.jpg": Answer((tmp_path / "plain.jpg").read_bytes()),
    }
    with serving(answers) as server:
        (tmp_path / "list.txt").write_text(f"{server.url}/told.jpg\n{server.url}/silent.jpg\n")
        ended = pixmill("run", "list.txt", "out", "--name", BY_MONTH, "--allow-private-hosts")
    assert ended.returncode == 0, ended.stderr
    assert set(outputs(tmp_path / "out")) == {"2015/10/told.jpg", "undated/silent.jpg"}
