"""One image takes no more memory than was claimed for it, and no more threads than the worker's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

linux = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory and threads are measured in /proc")

#: Makes a picture of so many pixels in a format, and an output of it; prints what was claimed, the peak of memory, and of threads.
PROGRAM = """
import io, json, sys, threading, time
from pathlib import Path
from PIL import Image
from pixmill.imaging.input import Input
from pixmill.imaging.process import configure, process
from pixmill.imaging.recipe import Recipe

def status(key):
    return int(Path("/proc/self/status").read_text().split(key + ":")[1].split()[0])

def recipe(output, steps=()):
    return Recipe.from_builtins({"steps": list(steps), "renditions": [{"encode": output}]})

def stored(size, kind):
    ramp = Image.linear_gradient("L").resize(size)
    picture, file = Image.merge("RGB", (ramp, ramp.rotate(90).resize(size), ramp.rotate(180))), io.BytesIO()
    if kind in ("heif", "jxl"):
        return process(Input(stored(size, "bmp")), recipe({"format": kind})).outputs[0].data
    picture.save(file, kind.upper(), **({"speed": 10} if kind == "avif" else {}))
    return file.getvalue()

def measured(size, kind, output, steps):
    data = stored(size, kind)
    process(Input(stored((60, 50), kind)), recipe(output))  # imports
    before, threads, peak, over, claimed = status("VmRSS"), status("Threads"), [0], threading.Event(), []
    Path("/proc/self/clear_refs").write_text("5")

    def watch():
        while not over.wait(0.002):
            peak[0] = max(peak[0], status("Threads") - 1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    process(Input(data), recipe(output, steps), claim=claimed.append)
    over.set()
    watcher.join()
    return {"claimed": claimed[0], "used": (status("VmHWM") - before) * 1024 + len(data), "threads": peak[0] - threads}

configure()
print(json.dumps([measured(*each) for each in json.loads(sys.argv[1])]))
"""
LARGE, SMALL = (1600, 1200), (400, 300)
RESIZE = ["resize:width=600"]


def measured(cases):
    """Run ``cases`` in one process, whose malloc gives every large piece back at once."""
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TOP_PAD_": "0"}
    program = PROGRAM.replace("configure()\n", "")
    line = [sys.executable, "-c", program, json.dumps(cases)]
    return json.loads(subprocess.run(line, env=environment, check=True, capture_output=True, text=True).stdout)


@linux
@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp", "gif", "bmp", "avif"])
def test_no_decoder_takes_more_memory_than_was_claimed(kind):
    cases = [({"format": "jpeg"}, RESIZE), ({"format": "jpeg"}, []), ({"format": "tiff", "compression": "none"}, [])]
    for found in measured([(LARGE, kind, output, steps) for output, steps in cases]):
        assert found["used"] <= found["claimed"], found


@linux
@pytest.mark.parametrize(
    "output",
    [
        {"format": "png", "compression": 0},
        {"format": "png", "effort": "best"},
        {"format": "webp", "lossless": True, "effort": "fast"},
        {"format": "gif", "effort": "fast"},
        {"format": "bmp"},
        {"format": "avif", "effort": "fast"},
    ],
    ids=lambda output: output["format"],
)
def test_no_encoder_takes_more_memory_than_was_claimed(output):
    (found,) = measured([(LARGE, "jpeg", output, [])])
    assert found["used"] <= found["claimed"], found


@linux
def test_enlarging_takes_no_more_memory_than_was_claimed():
    for found in measured(
        [
            (SMALL, "png", {"format": "jpeg"}, [f"resize:width=1600,enlarge=true,kernel={kernel}"])
            for kernel in ("lanczos2", "lanczos3")
        ]
    ):
        assert found["used"] <= found["claimed"], found


@linux
@pytest.mark.parametrize(("kind", "most"), [("avif", 0), ("heif", 2), ("jxl", 0)])
def test_decoders_and_encoders_use_no_more_threads_than_the_worker_has(kind, most):
    """The encoder of HEIF has a second thread that works while the first one waits."""
    pytest.importorskip({"avif": "PIL", "heif": "pillow_heif", "jxl": "pillow_jxl"}[kind])
    line = [sys.executable, "-c", PROGRAM, json.dumps([(SMALL, kind, {"format": kind}, [])])]
    (found,) = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    assert found["threads"] <= most
    assert found["used"] <= found["claimed"], found
