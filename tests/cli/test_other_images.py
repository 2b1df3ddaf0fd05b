"""Files are called by what they are: those whose names say image fail by name, and other images are counted by kind."""

import io
import json

import pytest
from PIL import Image


def by_pillow(kind, mode="RGB"):
    file = io.BytesIO()
    Image.new(mode, (20, 10), "red" if mode == "RGB" else 0).save(file, kind)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    """Return a folder with images of many kinds under true, false and no names."""
    folder = tmp_path / "in"
    folder.mkdir()
    photo, jp2, psd = by_pillow("JPEG"), by_pillow("JPEG2000"), b"8BPS\0\1" + bytes(200)
    files = {
        "a.jpg": photo, "b.mpo": photo, "c.jps": photo, "photo.jpg": jp2, "zeros.jpg": bytes(500),
        "strays.jpg": b"\0\0\r\n" + photo, "one.jp2": jp2, "two.jp2": jp2, "three.JPX": jp2, "layers.psd": psd, "more.PSD": psd,
        "notes.txt": b"hello",
        "raw.cr3": b"x",
    }  # fmt: skip
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("options", [[], ["--all-files"]])
def test_what_a_name_calls_an_image_fails_by_name_and_the_rest_is_counted_by_kind(pixmill, folder, tmp_path, options):
    run = pixmill("run", folder, tmp_path / "out", *options)
    assert run.returncode == 1
    assert "not-an-image: 1 (zeros.jpg)" in run.stderr
    assert "unsupported: 1 (photo.jpg): 1 JPEG 2000" in run.stderr
    assert "3 JPEG 2000, 2 PSD" in run.stderr
    done = {path.name for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert {name.partition(".")[0] for name in done} == {"a", "b", "c", "strays"}


def test_all_files_looks_into_those_without_a_name(pixmill, folder, tmp_path):
    for name, data in {"x": by_pillow("PNG"), "y.dat": by_pillow("JPEG2000"), "z": b"II*\0\x10\0\0\0CR\2\0" + bytes(99)}.items():
        (folder / name).write_bytes(data)
    run = pixmill("run", folder, tmp_path / "out", "--all-files")
    assert "4 JPEG 2000, 2 PSD, 1 CR2" in run.stderr
    assert (tmp_path / "out" / "x.jpg").exists()


def test_json_and_the_report_list_them(pixmill, folder, tmp_path):
    run = pixmill("run", folder, tmp_path / "out", "--json")
    report = json.loads(run.stdout.splitlines()[-1])
    report = report.get("report", report)
    assert report["ignored"] == {"not-an-image": 1, "unsupported": 6}
    assert report["other_images"]["JPEG 2000"] == {"count": 3, "keys": ["one.jp2", "three.JPX", "two.jp2"], "kinds": {}}
    assert report["failures"]["unsupported"]["kinds"] == {"JPEG 2000": 1}
    page = tmp_path / "page.html"
    assert pixmill("report", tmp_path / "out", "-o", page).returncode == 0
    assert "3 JPEG 2000: one.jp2, three.JPX, two.jp2" in page.read_text()


def test_messages_are_the_same_in_every_run(pixmill, folder, tmp_path):
    (folder / "uncompressed.heic").write_bytes(b"\0\0\0\x18ftypmif1\0\0\0\0mif1unif" + bytes(60))
    texts = []
    for number in range(2):
        pixmill("run", folder, tmp_path / f"out{number}")
        texts.append(pixmill("failures", tmp_path / f"out{number}").stdout)
    assert texts[0] == texts[1]
    assert "0x7" not in texts[0]


def test_a_folder_of_other_images_says_what_they_are(pixmill, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.psd", "b.psd", "c.nef"):
        (folder / name).write_bytes(b"8BPS\0\1" + bytes(50))
    run = pixmill("run", folder, tmp_path / "out")
    assert run.returncode == 2
    assert "2 PSD, 1 NEF" in run.stderr
