"""A coverage-guided fuzzer on what is our own code and reads bytes from outside, with the corpus for seeds."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
HERE = Path(__file__).parent
REGRESSIONS = HERE / "findings"
SECONDS = 25
SUFFIXES = {
    "scans": "*.jp*g",
    "chunks": "*.png",
    "sniffing": "*.*",
    "metadata": "*.*",
    "equivalents": "*.*",
    "bitmaps": "*.bmp",
    "headers": "*.*",
}
LARGEST_SEED = {"equivalents": 3_000}  # bytes; others take seconds each
SEEDS = {
    "names": [b"{dir}/{stem}.{ext}\na.jpg\na.png\nA.JPG", b"{hash}.{ext}\n\xff.jpg"],
    "recipes": [
        b'steps = [{operation = "resize", width = 100}]\n[[renditions]]\nencode = {format = "webp", quality = 80}\n',
        b"background = '#fff'",
    ],
    "frames": [b"\x02\0\0\0\x91\xa1r"],
    "ledger": [bytes(30)],
}


def load():
    spec = importlib.util.spec_from_file_location("fuzz_targets", HERE / "_targets.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.TARGETS


TARGETS = load()


def seeds(name):
    """Return the seeds of a target: files of the corpus that are small enough, or what is written above."""
    if name in SEEDS:
        return SEEDS[name]
    if not CORPUS.is_dir():
        return []
    files = sorted(path for part in ("bad", "good") for path in (CORPUS / part).rglob(SUFFIXES[name]) if path.is_file())
    return [path.read_bytes() for path in files if path.stat().st_size < LARGEST_SEED.get(name, 40_000)][:300]


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_what_was_found_before_are_no_trouble(name):
    found = sorted((REGRESSIONS / name).glob("*")) if (REGRESSIONS / name).is_dir() else []
    for data in [b"", *seeds(name), *(path.read_bytes() for path in found)]:
        TARGETS[name](data)


@pytest.mark.long
@pytest.mark.row("fuzz")
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_found_in_a_while(name, tmp_path, request):
    request.node.user_properties.append(("rows", ["fuzz"]))  # the mark is read for the tests of faults only
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is the fuzzer: make faults installs it where it has a wheel")
    folder = tmp_path / "seeds"
    folder.mkdir()
    for number, data in enumerate(seeds(name)):
        (folder / str(number)).write_bytes(data)
    line = [
        sys.executable,
        HERE / "_run.py",
        name,
        folder,
        f"-max_total_time={SECONDS}",
        "-max_len=4096",
        "-timeout=20",
        f"-artifact_prefix={tmp_path}/",
    ]
    result = subprocess.run(line, capture_output=True, text=True, check=False, timeout=SECONDS + 200)
    assert result.returncode == 0, result.stderr[-3000:]
    executed = [line.split()[1] for line in result.stderr.splitlines() if line.startswith("Done ")]
    request.node.user_properties.append(("figure", (f"fuzz inputs tried on {name}", int(executed[0]))))
