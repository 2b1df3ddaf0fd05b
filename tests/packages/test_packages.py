"""The packages beside pixmill read what they promise, installed from wheels as users do it, and confined like every codec."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixmill.core.remedy import install_command
from pixmill.engine.resources.sandbox import gaps
from support.dng_files import dng

REPOSITORY = Path(__file__).parents[2]
PACKAGES = sorted(path.parent for path in (REPOSITORY / "packages").glob("*/pyproject.toml"))
ROWS, COLUMNS = np.mgrid[0:64, 0:96]
PICTURE = np.stack([COLUMNS * 2 + 30, ROWS * 3 + 20, ROWS + COLUMNS + 40], axis=-1).clip(0, 255).astype(np.uint8)
MISUSED, SOME_FAILED = 2, 1
WHERE = "import sysconfig; print(sysconfig.get_path('purelib'))"


class Installed:
    """An environment of its own with the wheel of pixmill. Other packages that are installed here are taken from here."""

    def __init__(self, folder):
        self.folder = folder
        self.python = folder / "venv/bin/python"
        subprocess.run((sys.executable, "-m", "venv", "--without-pip", folder / "venv"), check=True)
        self.pip("install", "--requirement", REPOSITORY / "docker/requirements-build.txt")
        self.pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "wheels", REPOSITORY, *PACKAGES)
        self.install("pixmill-0", "--no-deps")
        found = subprocess.run((self.python, "-c", WHERE), capture_output=True, text=True, check=True)
        self.packages = Path(found.stdout.strip())
        (self.packages / "here.pth").write_text(sysconfig.get_path("purelib"))

    def pip(self, *words):
        line = (sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check", *map(str, words), "--quiet")
        ended = subprocess.run(line, capture_output=True, text=True, check=False, timeout=250)
        if ended.returncode:
            pytest.skip(f"pip cannot build or reach its index: {ended.stderr[-300:]}")

    def install(self, name, *options):
        wheels = list((self.folder / "wheels").glob(f"{name}*.whl"))
        self.pip("install", *options, *wheels)

    def run(self, *words, code=0):
        line = (self.python, "-m", "pixmill", *map(str, words))
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIXMILL_"))}
        ended = subprocess.run(line, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert ended.returncode == code, ended.stdout + ended.stderr
        assert "Traceback" not in ended.stdout + ended.stderr
        return ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return pixmill from its wheel, without any other package."""
    return Installed(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def complete(plain):
    """Return it with all packages; tests of ``plain`` come first."""
    plain.install("pixmill_")
    return plain


@pytest.fixture
def folder(complete, tmp_path):
    complete.folder = tmp_path
    write_inputs(tmp_path / "in")
    return complete


def write_inputs(place):
    place.mkdir()
    (place / "photo.dng").write_bytes(dng(PICTURE, preview=Image.fromarray(PICTURE).resize((48, 32)), orientation=6))
    pages = [Image.new("RGB", (300, height), colour) for height, colour in ((200, "red"), (400, "blue"))]
    pages[0].save(place / "paper.pdf", save_all=True, append_images=pages[1:], resolution=100)


def opened(path):
    with Image.open(path) as picture:
        picture.load()
        return picture


@pytest.mark.parametrize("name", ["pdf", "raw"])
def test_without_its_package_the_option_says_what_to_install(plain, tmp_path, name):
    write_inputs(tmp_path / "in")
    said = plain.run("run", tmp_path / "in", tmp_path / "out", "--allow", name, code=MISUSED)
    assert f"needs the extra '{name}'\n  pip install 'pixmill[{name}]'\n" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["pdf", "raw"])
def test_in_a_clone_it_names_the_folder_that_can_be_installed(name):
    assert install_command(name) == f"pip install {REPOSITORY}/packages/pixmill-{name}"


def test_man_finds_the_page_of_each_command_beside_the_program(plain):
    if shutil.which("man") is None:
        pytest.skip("man is not installed (Debian: apt install man-db)")
    environment = {**os.environ, "PATH": f"{plain.python.parent}:{os.environ['PATH']}"}
    environment.pop("MANPATH", None)
    for page in (REPOSITORY / "docs/reference/man").iterdir():
        found = subprocess.run(("man", "-w", page.stem), env=environment, capture_output=True, text=True, check=True).stdout.strip()
        assert Path(found).resolve() == (plain.python.parents[1] / "share/man/man1" / page.name).resolve()
        assert Path(found).read_text("utf-8") == page.read_text("utf-8")


def test_without_the_option_nothing_changes(folder):
    (folder.folder / "list.txt").write_text("in/paper.pdf\n")
    said = failures(folder, "list.txt")
    assert "PDF is not read unless it is allowed" in said
    assert "pixmill retry out --allow pdf" in said
    assert "no images" in folder.run("run", "in", "out2", code=MISUSED)


def failures(folder, source, *words):
    """Run what fails; return what is said about each failure."""
    folder.run("run", source, "out", *words, code=SOME_FAILED)
    return folder.run("failures", "out")


def test_the_preview_and_the_first_page_are_read_upright(folder):
    said = folder.run("run", "in", "out", "--allow", "raw,pdf", "--format", "png", "--size", "keep")
    photo, page = opened(folder.folder / "out/photo.png"), opened(folder.folder / "out/paper.png")
    assert (photo.size, page.size) == ((32, 48), (450, 300))
    upright = np.rot90(np.asarray(Image.fromarray(PICTURE).resize((48, 32))), -1)
    assert np.abs(np.asarray(photo).astype(int) - upright).mean() < 3
    assert np.abs(np.subtract(page.getpixel((200, 100)), (255, 0, 0))).max() <= 2
    assert "pages-dropped" in said
    assert "preview-used" in said
    assert photo.getexif()[0x8298] == "Ann Author"


def test_settings_develop_the_photograph_and_choose_the_page(folder):
    allow = "raw:develop=true,pdf:page=2,dpi=36,background=transparent"
    folder.run("run", "in", "out", "--allow", allow, "--format", "png", "--size", "keep", "--depth", "keep")
    photo, page = opened(folder.folder / "out/photo.png"), opened(folder.folder / "out/paper.png")
    assert (photo.size, page.size, page.mode) == ((64, 96), (108, 144), "RGBA")
    assert np.abs(np.subtract(page.getpixel((50, 50)), (0, 0, 255, 255))).max() <= 2
    got = np.asarray(photo.convert("RGB")).reshape(-1, 3)
    wanted = np.rot90(PICTURE, -1).reshape(-1, 3)
    assert all(np.corrcoef(got[:, band], wanted[:, band])[0, 1] > 0.98 for band in range(3))


def test_other_settings_make_the_outputs_again_and_the_same_make_none(folder):
    line = ("run", "in", "out", "--format", "png")
    folder.run(*line, "--allow", "pdf")
    assert "1 skipped" in folder.run(*line, "--allow", "pdf") or "unchanged" in folder.run(*line, "--allow", "pdf")
    folder.run(*line, "--allow", "pdf:page=2")
    assert opened(folder.folder / "out/paper.png").getpixel((50, 50))[2] > 250


def test_limits_hold_before_anything_is_drawn_and_a_missing_page_has_a_remedy(folder):
    assert "34,560,000 pixels; the limit is 1,000,000" in failures(folder, "in", "--allow", "pdf:dpi=2400", "--max-pixels", "1MP")
    assert "the PDF has 2 pages, and no page 7" in failures(folder, "in", "--allow", "pdf:page=7")


def test_damaged_files_are_pictures_or_failures_and_stop_nothing(folder):
    random = np.random.default_rng(4)
    for path in sorted((folder.folder / "in").iterdir()):
        data = np.frombuffer(path.read_bytes(), np.uint8)
        for number in range(12):
            damaged = data[: len(data) - random.integers(0, len(data) // 2) * (number % 2)].copy()
            damaged[random.integers(8, len(damaged), 8)] = random.integers(0, 256, 8)
            path.with_name(f"{number}-{path.name}").write_bytes(damaged.tobytes())
    said = folder.run("run", "in", "out", "--allow", "raw:develop=true,pdf", "--json", code=SOME_FAILED)
    assert '"pending":0' in said.replace(" ", "")
    assert '"crash"' not in said


def test_the_reference_knows_them(folder):
    said = folder.run("explain", "pdf")
    assert "pixels per inch" in said
    assert "--allow pdf:page=2,dpi=300" in said


CODEC = '''
from typing import ClassVar
from pathlib import Path
from pixmill.imaging.codec import Codec
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header

class Evil(Codec, frozen=True, kw_only=True, tag="evil"):
    """Evil: writes where it may not."""

    format: ClassVar = Format(name="evil", label="evil", extensions=("evil",), mime="", signature=b"EVIL", writable=False)

    def header(self, source):
        Path(source.read()[4:].decode()).write_text("written")
        return Header(format=self.format, width=1, height=1)
'''


@pytest.mark.skipif(bool(gaps()), reason="this kernel confines no worker")
def test_the_codec_of_a_package_is_confined_like_every_other(folder, tmp_path_factory):
    site, elsewhere = tmp_path_factory.mktemp("site"), Path.home() / ".pixmill-test-of-confinement"
    (site / "evil.py").write_text(CODEC)
    (site / "evil-1.dist-info").mkdir()
    (site / "evil-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1\n")
    (site / "evil-1.dist-info/entry_points.txt").write_text("[pixmill.imaging.codecs]\nevil = evil:Evil\n")
    (folder.folder / "in/a.evil").write_bytes(b"EVIL" + str(elsewhere).encode())
    (folder.packages / "evil.pth").write_text(str(site))
    try:
        assert "Permission denied" in failures(folder, folder.folder / "in/a.evil")
        assert not elsewhere.exists()
    finally:
        (folder.packages / "evil.pth").unlink()
        elsewhere.unlink(missing_ok=True)
