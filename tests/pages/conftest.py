"""A report of a run with failures and hostile names for it to open, and the documentation site."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pixmill.testing import sample_images
from support.website import ZENSICAL, build, served

HOSTILE = ["<script>document.title='owned'<script>.jpg", "red\x1b[31m\nline.jpg", '"><img src=x onerror=alert(1)>.jpg']

HELD = 61  # pixels that the picture is wide which waits for the gate
HOLD = """
import os, time

def hold(image):
    while image.width == 61 and not os.path.exists({gate!r}):
        time.sleep(0.02)
    return image
"""


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ordinary pictures, broken ones, and some with hostile names."""
    source = tmp_path_factory.mktemp("source")
    for make in (sample_images.sea, sample_images.mountains, sample_images.islands, sample_images.lights):
        (source / f"{make.__name__}.jpg").write_bytes(make())
    (source / "glass_ball.png").write_bytes(sample_images.glass_ball())
    for name in HOSTILE:
        shutil.copy(source / "sea.jpg", source / name)
        (source / f"bad {name}").write_bytes(b"no picture")
    (source / "cut.jpg").write_bytes((source / "sea.jpg").read_bytes()[:5000])
    return source


@pytest.fixture(scope="session")
def output(tmp_path_factory: pytest.TempPathFactory, source: Path) -> Path:
    """An output of the source."""
    output = tmp_path_factory.mktemp("pages") / "out"
    words = ["run", source, output, "--size", "800x600", "--quiet"]
    subprocess.run([sys.executable, "-m", "pixmill", *words], check=False, timeout=120)
    return output


@pytest.fixture(scope="session")
def report(output: Path) -> Path:
    path = output.parent / "report.html"
    words = ["report", output, "-o", path, "--quality-check", "4"]
    subprocess.run([sys.executable, "-m", "pixmill", *words], check=True, timeout=120, stdout=subprocess.DEVNULL)
    return path


class Visit:
    """A page that was opened, and what it did: requests beyond its own address, console messages, dialogs."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.misdeeds: list[str] = []
        page.on("console", lambda message: self.misdeeds.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.misdeeds.append(f"error: {error}"))
        page.on("dialog", self._dismiss)
        page.on("request", self._see)
        self._own = address
        page.goto(address)

    def _see(self, request: Any) -> None:
        if not request.url.startswith((self._own, "data:")):
            self.misdeeds.append(f"request: {request.url}")

    def _dismiss(self, dialog: Any) -> None:
        self.misdeeds.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture
def visit_address(browser: Any) -> Iterator[Callable[..., Visit]]:
    with ExitStack() as stack:

        def visit(address: str, *, width: int = 1200, **choices: Any) -> Visit:
            context = browser.new_context(viewport={"width": width, "height": 900}, **choices)
            stack.callback(context.close)
            return Visit(context.new_page(), address)

        yield visit


@pytest.fixture
def visit(visit_address: Callable[..., Visit], report: Path) -> Callable[..., Visit]:
    return partial(visit_address, report.as_uri())


@pytest.fixture
def axe() -> Callable[[Any], list[tuple[str, list[Any]]]]:
    """Return a function that tells what keeps somebody out of a page."""
    found = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

    def look(page: Any) -> list[tuple[str, list[Any]]]:
        violations = found.Axe().run(page).response["violations"]
        return [(each["id"], [node["target"] for node in each["nodes"]]) for each in violations]

    return look


class LiveRun:
    """A run that is shown live. Its last image waits until ``let_go``; ``url`` is where the page is."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self._gate = folder / "gate"
        step = folder / "hold.py"
        step.write_text(HOLD.format(gate=str(self._gate)))
        words = ["run", folder / "source", folder / "out", "--size", "400x300", "--step", f"python:function={step}:hold"]
        words += ["--workers", "2", "--timeout", "10m", "--stall-after", "10m", *(options or ("--serve", "0"))]
        command = [sys.executable, "-m", "pixmill", *map(str, words)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder)
        said = self.process.stderr.readline()
        assert said.startswith("[SERVING] "), said
        self.url = said.split()[1]

    def let_go(self) -> str:
        """Let the last image pass, and return what the run said until its end."""
        self._gate.touch()
        return self.process.communicate(timeout=120)[1]

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory, source: Path) -> Iterator[Callable[..., LiveRun]]:
    """Return a function that starts a run of ordinary and broken pictures, hostile names, and one picture that is held up."""
    with ExitStack() as stack:

        def start(*options: str) -> LiveRun:
            folder = tmp_path_factory.mktemp("live")
            shutil.copytree(source, folder / "source")
            Image.new("RGB", (HELD, 40), (90, 120, 60)).save(folder / "source" / "zz-held.png")
            run = LiveRun(folder, *options)
            stack.callback(run.close)
            return run

        yield start


@pytest.fixture(scope="session")
def held(live: Callable[..., LiveRun]) -> str:
    """The address of a page of a run that goes on for as long as the tests do."""
    return live().url


@pytest.fixture(scope="session")
def built() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Return a function that builds the documentation site."""
    if not ZENSICAL.exists():
        pytest.skip("Zensical is not installed: make site")
    return build


@pytest.fixture(scope="session")
def website(built: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation site."""
    site = tmp_path_factory.mktemp("website") / "site"
    ended = built(site)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return site


@pytest.fixture(scope="session")
def website_address(website: Path) -> Iterator[str]:
    """The address of the documentation site on a server."""
    with served(website) as address:
        yield address
