"""A folder whose name an output would want: the picture is called after its whole name, as where two pictures want one."""

import io
import tarfile
import zipfile

import pytest
from PIL import Image

import pixmill
from support.invariants import identities, outputs
from support.web_server import Answer, serving

NAMES = ["a.png", "a.jpg/x.jpg", "b.webp", "b.jpg/deep/y.png", "c.jpg", "d/e.png", "d/e.jpg/z.jpg"]
EXPECTED = {"a.png.jpg", "a.jpg/x.jpg", "b.webp.jpg", "b.jpg/deep/y.jpg", "c.jpg", "d/e.png.jpg", "d/e.jpg/z.jpg"}


def picture(name, number=0):
    buffer = io.BytesIO()
    kind = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[name.rpartition(".")[2]]
    Image.new("RGB", (30 + number, 20), (40 * number, 90, 200)).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(NAMES):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(name, number))
    return tmp_path / "in"


def as_tar(folder):
    path = folder.with_suffix(".tar")
    with tarfile.open(path, "w") as archive:
        for name in reversed(NAMES):
            archive.add(folder / name, name)
    return path


def as_zip(folder):
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for name in NAMES:
            archive.write(folder / name, name)
    return path


def as_list(folder):
    (folder / "list.txt").write_text("\n".join(reversed(NAMES)))
    return folder / "list.txt"


@pytest.mark.parametrize("as_source", [lambda folder: folder, as_tar, as_zip, as_list], ids=["folder", "tar", "zip", "list"])
def test_the_picture_gets_another_name_and_keeps_it(folder, tmp_path, as_source):
    source, out = as_source(folder), tmp_path / "out"
    report = pixmill.run(source, out, workers=1)
    assert (report.counts.done, report.counts.failed) == (len(NAMES), 0)
    assert set(outputs(out)) == EXPECTED
    before = identities(out)
    assert pixmill.run(source, out, workers=1).counts.skipped == len(NAMES)
    assert identities(out) == before


def test_every_picture_has_a_file_where_formats_are_kept(folder, tmp_path):
    (folder / "a.png").write_bytes(picture("a.jpg"))  # its content decides, so that it wants the name of the folder
    options = {"format": "keep", "workers": 1}
    for number, source in enumerate((folder, as_tar(folder), as_list(folder))):
        out = tmp_path / f"out{number}"
        report = pixmill.run(source, out, exclude=["list.txt"], **options)
        assert (report.counts.done, report.counts.failed) == (len(NAMES), 0)
        assert len(outputs(out)) == len(NAMES)


@pytest.mark.parametrize(
    "name", ["{dir}/{stem}", "small/{dir}/{stem}.{ext}", "{dir}/{name}", "{dir}/{stem}/{name}", "{hash}.{ext}"]
)
def test_every_template_gives_every_picture_a_file(folder, tmp_path, name):
    (folder / "2024").mkdir()
    (folder / "2024" / "x.jpg").write_bytes(picture("x.jpg"))
    (folder / "2024.png").write_bytes(picture("2024.png"))
    report = pixmill.run(folder, tmp_path / "out", name=name, workers=1)
    assert (report.counts.done, report.counts.failed) == (len(NAMES) + 2, 0)
    assert len(outputs(tmp_path / "out")) == len(NAMES) + 2


def test_a_file_and_a_folder_of_one_name_come_from_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr("a.jpg", picture("a.jpg"))
        archive.writestr("a.jpg/x.jpg", picture("x.jpg"))
        archive.writestr("b/c.jpg/d/e.jpg", picture("e.jpg"))
        archive.writestr("b/c.jpg", picture("c.jpg"))
    report = pixmill.run(tmp_path / "in.zip", tmp_path / "out", workers=1)
    assert (report.counts.done, report.counts.failed) == (4, 0)
    assert set(outputs(tmp_path / "out")) == {"a.jpg.jpg", "a.jpg/x.jpg", "b/c.jpg/d/e.jpg", "b/c.jpg.jpg"}


def test_a_file_and_a_folder_of_one_name_come_from_the_web(tmp_path):
    with serving({f"/{name}": Answer(picture("x.jpg")) for name in ("a.jpg", "a.jpg/x.jpg", "a.jpg/b.jpg/y.jpg")}) as server:
        (tmp_path / "urls.txt").write_text(
            "\n".join(f"{server.url}/{name}" for name in ("a.jpg", "a.jpg/x.jpg", "a.jpg/b.jpg/y.jpg"))
        )
        report = pixmill.run(tmp_path / "urls.txt", tmp_path / "out", workers=1, allow_private_hosts=True)
        host = server.url.removeprefix("http://")
    assert (report.counts.done, report.counts.failed) == (3, 0)
    assert set(outputs(tmp_path / "out")) == {f"{host}/{name}" for name in ("a.jpg.jpg", "a.jpg/x.jpg", "a.jpg/b.jpg/y.jpg")}


def test_a_dataset_has_every_picture(folder, tmp_path):
    report = pixmill.run(folder, f"tar://{tmp_path / 'set'}", workers=1)
    assert (report.counts.done, report.counts.failed) == (len(NAMES), 0)
