"""The everyday jobs of docs/howto.md: the title of each, its commands, and the files that it writes down."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

PAGE = Path(__file__).parents[2] / "docs" / "howto.md"
_JOB = re.compile(r"^### (?P<title>[^\n]+)\n(?P<text>.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"\A# (\S+)\n")


class Job(msgspec.Struct, frozen=True):
    """One job. ``commands`` are its blocks for a shell; ``files`` are its other blocks, by the name in their first line."""

    title: str
    commands: tuple[str, ...]
    files: dict[str, str]


def documented_jobs() -> Mapping[str, Job]:
    """Return the jobs of the page by title, in its order."""
    jobs = {}
    for found in _JOB.finditer(PAGE.read_text("utf-8")):
        blocks = _BLOCK.findall(found["text"])
        commands = tuple(text for language, text in blocks if not language)
        files = {_NAME.findall(text)[0]: text for language, text in blocks if language}
        assert found["title"] not in jobs, f"two jobs are called {found['title']}"
        jobs[found["title"]] = Job(found["title"], commands, files)
    return jobs
