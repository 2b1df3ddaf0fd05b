"""The programs in ``examples/`` do what their first lines say: with real tools, run again, and with a file that is broken."""

import gzip
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"
MAX_LINES = 80


@pytest.fixture
def example(tmp_path):
    """Return a function that runs an example in the folder of the test; it returns the code, what it printed, and the rest."""

    def run(name, *words):
        command = [sys.executable, EXAMPLES / f"{name}.py", *map(str, words)]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
        return result.returncode, result.stdout, result.stderr

    return run


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short_and_says_how_to_run_it(path):
    text = path.read_text()
    assert len(text.splitlines()) < MAX_LINES
    assert f"python examples/{path.name}" in text.split('"""')[1]


def test_lines_are_counted_with_retries_and_go_on_after_a_kill(example, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.gz").write_bytes(gzip.compress(b"a line\n" * (number + 1)))
    whole = gzip.compress(b"a line\n" * 1000)
    (folder / "half.gz").write_bytes(whole[: len(whole) // 2])
    os.mkfifo(folder / "waits.gz")  # holds its worker until somebody writes
    line = [sys.executable, EXAMPLES / "line_counts.py", "logs", "ledger.sqlite"]
    with subprocess.Popen(line, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        said = "".join(iter(process.stderr.readline, "half.gz: BlockingIOError: [Errno 11] the file is still being written\n"))
        process.kill()
    assert len(re.findall(r"half.gz: BlockingIOError: \[Errno 11\] the file is still being written; again in [0-9.]+ s", said)) == 2
    (folder / "waits.gz").unlink()
    (folder / "half.gz").write_bytes(whole)
    code, out, said = example("line_counts", "logs", "ledger.sqlite")
    assert (code, out) == (0, "1015\n")
    assert "1 counted, 5 known, 0 failed, 0 left" in said


def make_video(path, *, frames=24, size=(960, 540)):
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as writer:
        stream = writer.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            pixels = np.full((size[1], size[0], 3), 10 * number, np.uint8)
            writer.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        writer.mux(stream.encode(None))


def test_videos_are_transcoded_once_and_a_broken_one_costs_only_itself(example, tmp_path):
    av = pytest.importorskip("av")
    (tmp_path / "in" / "deep").mkdir(parents=True)
    make_video(tmp_path / "in" / "a.mov")
    make_video(tmp_path / "in" / "deep" / "b.mkv", size=(320, 240))
    (tmp_path / "in" / "broken.mp4").write_bytes(b"no video")
    code, _, said = example("videos", "in", "out")
    assert code == 1
    assert "broken.mp4: InvalidDataError" in said
    assert "2 done, 0 unchanged, 1 failed" in said
    sizes = {}
    for path in sorted((tmp_path / "out").rglob("*.mp4")):
        with av.open(str(path)) as made:
            frames = list(made.decode(video=0))
            sizes[path.name] = (frames[0].width, frames[0].height, len(frames), made.streams.video[0].codec_context.name)
    assert sizes == {"a.mov.mp4": (640, 360, 24, "h264"), "b.mkv.mp4": (320, 240, 24, "h264")}
    assert "0 done, 2 unchanged, 1 failed" in example("videos", "in", "out")[2]


def test_csv_becomes_parquet_with_types_and_a_wrong_row_is_named(example, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "in").mkdir()
    rows = ("id,time,amount", "2,2026-01-02T10:00:00,2.5", "1,2026-01-01T10:00:00,1.5", "3,2026-01-03T00:00:00,")
    (tmp_path / "in" / "good.csv").write_text("\n".join(rows))
    (tmp_path / "in" / "wrong.csv").write_text("id,time,amount\n1,2026-01-01T10:00:00,1\ntwo,2026-01-01T10:00:00,1\n")
    code, _, said = example("etl", "in", "out")
    assert code == 1
    assert "CSV conversion error to int64: invalid value 'two'" in said
    assert "1 files done, 0 unchanged, 1 failed\n2 rows written, 1 without an amount left out" in said
    table = parquet.read_table(tmp_path / "out" / "good.parquet")
    assert (table["id"].to_pylist(), table["amount"].to_pylist()) == ([1, 2], [1.5, 2.5])
    assert not list((tmp_path / "out").glob(".*.partial"))


def test_a_simulation_agrees_with_theory_and_is_not_repeated(example):
    code, first, said = example("simulation", "ledger.sqlite", "300")
    assert (code, said) == (0, "24 simulated, 0 known, 0 failed\n")
    for distance, mean in re.findall(r"distance +(\d+): +([\d.]+) steps", first):
        assert abs(float(mean) / int(distance) ** 2 - 1) < 0.15
    assert example("simulation", "ledger.sqlite", "300") == (0, first, "0 simulated, 24 known, 0 failed\n")


def test_a_model_enlarges_images_of_every_kind(example, tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "in").mkdir()
    for number, mode in enumerate(("RGB", "L", "RGBA", "LA", "RGB", "CMYK")):
        Image.new(mode, (40 + 10 * (number % 3), 30), 128 if mode == "L" else None).save(tmp_path / "in" / f"{number}.tif")
    code, printed, said = example("inference", "in", "out")
    assert code == 0, said
    assert "done=6" in printed
    with Image.open(tmp_path / "out" / "1.jpg") as made:
        assert (made.size, made.mode) == ((100, 60), "RGB")
        assert all(abs(value - 128) <= 2 for value in made.getpixel((50, 30)))


def test_a_web_application_answers_with_thumbnails_and_with_sentences(tmp_path):
    picture = BytesIO()
    Image.new("RGB", (600, 400), (200, 10, 10)).save(picture, "JPEG")
    command = [sys.executable, "-u", EXAMPLES / "thumbnails.py", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            address = server.stdout.readline().strip()
            assert post(address, picture.getvalue()) == (200, "WEBP", (200, 200))
            assert post(f"{address}?size=90x60", picture.getvalue()) == (200, "WEBP", (90, 60))
            assert post(f"{address}?size=huge", picture.getvalue())[0] == 400
            assert post(address, b"no image at all")[:2] == (422, "not-an-image: ")
            assert post(address, b"")[0] == 405
        finally:
            server.terminate()


def post(address, data):
    """Return the status, and the format and size of the image that came back, or the first words of the sentence."""
    try:
        request = urllib.request.Request(address, data, method="POST")  # our own server
        with urllib.request.urlopen(request, timeout=60) as response, Image.open(BytesIO(response.read())) as made:
            return response.status, made.format, made.size
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()[:14]


def test_every_example_has_a_test():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {
        "checksums",
        "etl",
        "inference",
        "line_counts",
        "simulation",
        "thumbnails",
        "videos",
    }
