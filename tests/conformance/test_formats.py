"""Every ``--format`` name, through every kind of SRC and DST: what is made is named and written as that format.

Runs are in this process and pictures are tiny; formats with names that cannot collide are made in one run.
"""

import io
import os
import tarfile
import zipfile
from collections import defaultdict
from pathlib import Path

import pytest
from PIL import Image

import pixmill
from pixmill.batch.config.options import resolve
from pixmill.batch.item import unpack
from pixmill.batch.watch.options import WatchOptions
from pixmill.batch.watch.watch import Watch
from pixmill.core.units import Duration
from pixmill.imaging.codec import Codec
from pixmill.imaging.formats import formats, sniff
from pixmill.storage.open import open_storage
from support.web_server import Answer, serving

FORMATS = [known for known in formats() if known.writable and known.extensions and not known.missing_extra("write")]
EVERY_NAME = tuple(known.name for known in FORMATS)
EVERY_EXTENSION = tuple(known.extensions[-1].upper() for known in FORMATS)
ASKED = {"names": EVERY_NAME, "extensions": EVERY_EXTENSION, "keep": ("keep:quality=80",), "keep and another": ("keep", "webp")}
#: By the name of a source: what its output is called when its format is kept.
KEPT = {
    "a.JPG": "a.JPG", "b.jpeg": "b.jpeg", "c.TIFF": "c.TIFF", "d.png": "d.png", "in/e.Jfif": "in/e.Jfif", "f.jpg": "f.png",
    "g.png": "g.gif", "h.tif": "h.jpg", "junk.JPEG": "junk.JPEG",
}  # fmt: skip
CONTENT = {"c.TIFF": "TIFF", "d.png": "PNG", "f.jpg": "PNG", "g.png": "GIF"}


def stored(name):
    file = io.BytesIO()
    Image.new("RGB", (9, 6), (40, 90, 200)).save(file, CONTENT.get(name, "JPEG"))
    return b"\0" * 80 * name.startswith("junk") + file.getvalue()


@pytest.fixture(scope="module")
def pictures():
    return {name: stored(name) for name in KEPT}


@pytest.fixture
def folder(pictures, tmp_path):
    for name, data in pictures.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "in"


def in_folder(folder, _):
    return str(folder)


def in_one_file(folder, _):
    return str(folder / "b.jpeg")


def in_list(folder, tmp_path):
    (tmp_path / "list.txt").write_text("".join(f"in/{name}\n" for name in KEPT))
    del folder
    return str(tmp_path / "list.txt")


def in_zip(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in KEPT:
            archive.write(folder / name, name)
    return str(tmp_path / "in.zip")


def in_tar(folder, tmp_path):
    with tarfile.open(tmp_path / "in.tar", "w") as archive:
        for name in KEPT:
            archive.add(folder / name, name)
    return str(tmp_path / "in.tar")


def made(source, destination, asked, **options):
    """Return the names of what came out, by format, from the outcomes of a run."""
    options = {"formats": asked, "durability": "none", "executor": "inline", **options}
    with pixmill.open_run(source, destination, **options) as run:
        written = [output for outcome in run for output in unpack(outcome.result).outputs]
    assert run.report().exit_code == 0
    names = defaultdict(set)
    for output in written:
        names[output.format].add(os.fsdecode(output.name))
    return names


def expected(asked, sources, *, key=lambda name: name):
    """Return the same from what is right: ``key`` is what a place makes of a name."""
    names = defaultdict(set)
    for word in asked:
        codec = Codec.from_builtins(word)
        for source in sources:
            name = KEPT[source] if codec.follows_source else f"{source.rpartition('.')[0]}.{codec.format.extension}"
            names[codec.format.name if not codec.follows_source else content(source)].add(key(name))
    return names


def content(source):
    return sniff(stored(source).lstrip(b"\0")).name


def check_contents(names, read):
    for known, each in names.items():
        assert {sniff(read(name)).name for name in each} == {known}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("kind", [in_folder, in_one_file, in_list, in_zip, in_tar])
def test_every_source(kind, asked, folder, tmp_path):
    sources = ["b.jpeg"] if kind is in_one_file else KEPT
    key = (lambda name: f"in/{name}") if kind is in_list else (lambda name: name)
    names = made(kind(folder, tmp_path), tmp_path / "out", ASKED[asked])
    assert names == expected(ASKED[asked], sources, key=key)
    check_contents(names, lambda name: (tmp_path / "out" / name).read_bytes())


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("scheme", ["tar", "parquet"])
def test_every_dataset(scheme, asked, folder, tmp_path):
    if scheme == "parquet":
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    assert made(folder, f"{scheme}://{tmp_path}/out", ASKED[asked]) == expected(ASKED[asked], KEPT)


@pytest.mark.parametrize("asked", ASKED)
def test_memory(asked, folder, tmp_path):
    assert made(folder, f"memory://{tmp_path.name}", ASKED[asked], state=str(tmp_path / "state")) == expected(ASKED[asked], KEPT)


@pytest.mark.parametrize("asked", ASKED)
def test_a_bucket_on_both_sides(asked, pictures, s3, tmp_path):
    root = f"s3://{s3}/formats/{asked.replace(' ', '-')}"
    source = open_storage(f"{root}/in")
    for name, data in pictures.items():
        source.write(name.encode(), data, durable=True)
    names = made(f"{root}/in", f"{root}/out", ASKED[asked], state=str(tmp_path / "state"))
    assert names == expected(ASKED[asked], KEPT)
    results = open_storage(f"{root}/out")
    check_contents(names, lambda name: results.read(name.encode(), limit=10**6))


def test_a_list_of_urls_keeps_the_extension_of_the_content(pictures, tmp_path):
    with serving({f"/{name}": Answer(body=data) for name, data in pictures.items()}) as web:
        (tmp_path / "urls.txt").write_text("".join(f"{web.url}/{name}\n" for name in pictures))
        names = made(tmp_path / "urls.txt", tmp_path / "out", ("keep",), allow_private_hosts=True)
    assert {Path(name).name for each in names.values() for name in each} == {Path(name).name for name in KEPT.values()}


@pytest.mark.parametrize("asked", ASKED)
def test_a_watched_folder(asked, folder, tmp_path):
    options = {"formats": ASKED[asked], "durability": "none", "executor": "inline"}
    watch = Watch(lambda: resolve(str(folder), str(tmp_path / "out"), options), WatchOptions(settle=Duration(0.05)))
    names = defaultdict(set)
    for count, outcome in enumerate(watch, start=1):
        for output in unpack(outcome.result).outputs:
            names[output.format].add(os.fsdecode(output.name))
        if count == len(KEPT):
            watch.stop("seen")
    assert names == expected(ASKED[asked], KEPT)


def test_renditions_of_several_sizes_keep_the_extension_too(folder, tmp_path):
    names = made(folder, tmp_path / "out", ("keep",), sizes=(3, 5))
    found = sorted(name for each in names.values() for name in each)
    assert found == sorted(f"{stem}-{width}.{end}" for stem, _, end in map(split_extension, KEPT.values()) for width in (3, 5))


def split_extension(name):
    return name.rpartition(".")


@pytest.mark.parametrize(
    ("template", "name"),
    [("{dir}/{ext}/{stem}.{ext}", "JPG/a.JPG"), ("{stem}_small.{ext}", "a_small.JPG"), ("x-{name}", "x-a.JPG")],
)
def test_a_template_gets_the_extension_that_is_kept(template, name, folder, tmp_path):
    names = made(folder / "a.JPG", tmp_path / "out", ("keep",), name=template)
    assert names == {"jpeg": {name}}


def test_two_sources_that_want_one_name_are_told_apart_and_a_second_run_finds_all_done(folder, tmp_path):
    (folder / "f.png").write_bytes((folder / "d.png").read_bytes())
    names = made(folder, tmp_path / "out", ("keep",))
    assert {"f.png", "f.jpg.png"} <= names["png"]
    again = pixmill.run(folder, tmp_path / "out", format="keep", durability="none", executor="inline")
    assert (again.counts.done, again.counts.skipped) == (0, len(KEPT) + 1)


def test_what_was_kept_can_be_the_source_of_the_next_run(folder, tmp_path):
    made(folder, tmp_path / "out", ("keep",))
    assert made(tmp_path / "out", tmp_path / "again", ("keep",)) == made(folder, tmp_path / "other", ("keep",))


def test_a_source_that_is_no_image_keeps_the_name_it_would_have_had(folder, tmp_path):
    (folder / "z.PNG").write_bytes(b"no picture")
    report = pixmill.run(folder / "z.PNG", tmp_path / "out", format="keep", durability="none", executor="inline")
    assert report.failures["not-an-image"].count == 1


def test_a_jpeg_behind_other_bytes_and_without_any_extension_gets_one(folder, tmp_path):
    (tmp_path / "photo").write_bytes((folder / "junk.JPEG").read_bytes())
    (tmp_path / "list.txt").write_text("photo\n")
    assert made(tmp_path / "list.txt", tmp_path / "out", ("keep",)) == {"jpeg": {"photo.jpg"}}
