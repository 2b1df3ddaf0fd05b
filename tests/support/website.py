"""The documentation site, built as ``make site`` builds it, and a server for it."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType

REPOSITORY = Path(__file__).parents[2]
ZENSICAL = REPOSITORY / ".venv-docs" / "bin" / "zensical"
_ADDRESSES = {"a": "href", "img": "src", "script": "src", "link": "href", "source": "srcset", "iframe": "src"}


def generator(repository: Path = REPOSITORY) -> ModuleType:
    """Return the module docs/website.py."""
    spec = importlib.util.spec_from_file_location("website_generator", repository / "docs" / "website.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(site: Path, repository: Path = REPOSITORY) -> "subprocess.CompletedProcess[str]":
    """Build the site of ``repository`` into the folder ``site``."""
    command = [sys.executable, *map(str, (repository / "docs" / "website.py", site, ZENSICAL))]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


class Page(HTMLParser):
    """What a page of the site consists of: ``links`` with the tag of each, ``anchors``, and the ``text`` of its paragraphs."""

    def __init__(self, path: Path) -> None:
        """Read the page."""
        super().__init__()
        self.path = path
        self.links: list[tuple[str, str]] = []
        self.anchors: set[str] = set()
        self.paragraphs: list[str] = []
        self._in_paragraph = False
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address and the anchor of a tag."""
        found = dict(attrs)
        self.anchors.update(value for name in ("id", "name") if (value := found.get(name)))
        if address := found.get(_ADDRESSES.get(tag, "")):
            self.links.append((tag, address))
        if tag == "p":
            self._in_paragraph = True
            self.paragraphs.append("")

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a paragraph."""
        self._in_paragraph = self._in_paragraph and tag != "p"

    def handle_data(self, data: str) -> None:
        """Note the text of a paragraph."""
        if self._in_paragraph:
            self.paragraphs[-1] += data


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve the site, and yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
