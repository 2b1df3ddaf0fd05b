"""A real browser, and a report of a run with failures and hostile names for it to open."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pixmill.testing import pictures

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = ["<script>document.title='owned'<script>.jpg", "red\x1b[31m\nline.jpg", '"><img src=x onerror=alert(1)>.jpg']


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output of ordinary pictures, broken ones, and some with hostile names."""
    folder = tmp_path_factory.mktemp("pages")
    source = folder / "source"
    source.mkdir()
    for make in (pictures.sea, pictures.mountains, pictures.islands, pictures.lights):
        (source / f"{make.__name__}.jpg").write_bytes(make())
    (source / "glass_ball.png").write_bytes(pictures.glass_ball())
    for name in HOSTILE:
        (source / name).write_bytes(pictures.sea())
        (source / f"bad {name}").write_bytes(b"no picture")
    (source / "cut.jpg").write_bytes(pictures.sea()[:5000])
    words = ["run", source, folder / "out", "--size", "800x600", "--quiet"]
    subprocess.run([sys.executable, "-m", "pixmill", *words], check=False, timeout=120)
    return folder / "out"


@pytest.fixture(scope="session")
def report(output: Path) -> Path:
    path = output.parent / "report.html"
    words = ["report", output, "-o", path, "--quality-check", "4"]
    subprocess.run([sys.executable, "-m", "pixmill", *words], check=True, timeout=120, stdout=subprocess.DEVNULL)
    return path


class Visit:
    """A page that was opened, and what it did: requests beyond its own file, console messages, dialogs."""

    def __init__(self, page: Any, path: Path) -> None:
        self.page = page
        self.misdeeds: list[str] = []
        page.on("console", lambda message: self.misdeeds.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.misdeeds.append(f"error: {error}"))
        page.on("dialog", self._dismiss)
        page.on("request", self._see)
        self._own = path.as_uri()
        page.goto(self._own)

    def _see(self, request: Any) -> None:
        if request.url != self._own and not request.url.startswith("data:"):
            self.misdeeds.append(f"request: {request.url}")

    def _dismiss(self, dialog: Any) -> None:
        self.misdeeds.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture
def visit(browser: Any, report: Path) -> Iterator[Callable[..., Visit]]:
    with ExitStack() as stack:

        def visit(*, width: int = 1200, **choices: Any) -> Visit:
            context = browser.new_context(viewport={"width": width, "height": 900}, **choices)
            stack.callback(context.close)
            return Visit(context.new_page(), report)

        yield visit
