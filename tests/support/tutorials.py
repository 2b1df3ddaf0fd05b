"""The pages that take a reader from command to command: what is typed, what it prints, and the files that it needs."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

REPOSITORY = Path(__file__).parents[2]
#: pages whose commands are typed one after the other; the one for Docker needs an engine
PAGES = ("docs/index.md", "docs/tutorials/folder.md", "docs/tutorials/buckets.md", "docs/tutorials/python.md")
_BLOCK = re.compile(r"(?:^<!-- exit (?P<code>\d+) -->\n+)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"\A# (\S+\.\w+)\n")
_NUMBER = re.compile(r"\d[\d,.]*")


class Step(msgspec.Struct):
    """Lines to type, the exit code that they end with, the files written before, and lines that must be printed."""

    typed: str
    code: int
    files: dict[str, str]
    printed: list[str]


def steps(page: str) -> list[Step]:
    """Return the steps of a page. Blocks in ``sh`` are for other machines, ``text`` is output, and a named block is a file."""
    found: list[Step] = []
    files: dict[str, str] = {}
    for block in blocks(page):
        language, text = block["language"], block["text"]
        if language == "text":
            found[-1].printed += [shape(line) for line in text.splitlines()]
        elif not language:
            found.append(Step(text, int(block["code"] or 0), files, []))
            files = {}
        elif named := _NAME.match(text):
            files[named[1]] = text
    assert not files, f"{page}: nothing uses {files}"
    return found


def blocks(page: str) -> Iterator[re.Match[str]]:
    """Return the fenced blocks of a page."""
    return _BLOCK.finditer((REPOSITORY / page).read_text("utf-8"))


def shape(line: str) -> str:
    """Return a line without what differs from run to run: numbers and the width of columns."""
    return " ".join(_NUMBER.sub("#", line).split())
