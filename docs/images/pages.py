"""Take the pictures of the report and the live page in docs/observability.md and docs/index.md.

Usage: ``python docs/images/pages.py``. It needs Playwright (requirements-dev.txt) and Chromium: ``CHROMIUM`` names its program, by
default ``chromium`` on the path. The photographs are the sample images, in several folders, and two of them are damaged.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, cast

from playwright.sync_api import Browser, Page, sync_playwright

from pixmill import process
from pixmill.testing.sample_images import write_samples

DOCS = Path(__file__).parents[1]
FOLDERS = ("2023", "2024", "2025")
SIZE = {"width": 1200, "height": 1000}
SLOW = """
import time

def slow(image):
    time.sleep(2)
    return image
"""


def photographs(folder: Path) -> None:
    """Write the sample images into folders in ``folder``, and cut two of them short."""
    for name in FOLDERS:
        write_samples(folder / name)
    for name in FOLDERS[:2]:
        whole = (folder / name / "sea.jpg").read_bytes()
        (folder / name / "sea-copy.jpg").write_bytes(whole[: len(whole) // 2])


def opened(browser: Browser, url: str, scheme: str) -> Page:
    """Return the page at ``url``, opened in the colours of ``scheme``."""
    page = browser.new_context(viewport=SIZE, color_scheme=scheme).new_page()  # type: ignore[arg-type]  # light or dark
    page.goto(url)
    return page


def store(page: Page, name: str) -> None:
    """Write a picture of the visible part of ``page``, with a palette: a third of the bytes."""
    (DOCS / name).write_bytes(process(page.screenshot(), size="keep", format="png:palette=true,effort=best"))


def the_report(browser: Browser, folder: Path) -> None:
    """Take a picture of the top of a report, and one of its folded numbers in dark colours."""
    words = [sys.executable, "-m", "pixmill"]
    subprocess.run([*words, "run", "photos", "out", "--size", "1200x900", "--quiet"], cwd=folder, check=False)
    subprocess.run([*words, "report", "out", "-o", "report.html"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    url = (folder / "report.html").as_uri()
    store(opened(browser, url, "light"), "report-light.png")
    page = opened(browser, url, "dark")
    for part in ("throughput", "stages"):
        page.locator(f"#{part} summary").first.click()
    page.evaluate("document.getElementById('throughput').scrollIntoView()")
    store(page, "report-dark.png")


def the_live_page(browser: Browser, folder: Path) -> None:
    """Take a picture of the live page of a run that a step slows down."""
    (folder / "slow.py").write_text(SLOW)
    words = [sys.executable, "-m", "pixmill", "run", "photos", "web", "--size", "1200x900", "--serve", "0"]
    command = [*words, "--step", "python:function=slow.py:slow"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as run:
        try:
            _, url = cast("IO[str]", run.stderr).readline().split()  # [SERVING] http://...
            page = opened(browser, url, "light")
            page.locator("#latest img").first.wait_for(timeout=60_000)
            page.locator("#failures").wait_for(timeout=60_000)
            store(page, "live.png")
        finally:
            run.kill()


def main() -> None:
    """Write report-light.png, report-dark.png and live.png into docs."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        photographs(Path(home, "photos"))
        the_report(browser, Path(home))
        the_live_page(browser, Path(home))
        browser.close()


if __name__ == "__main__":
    main()
