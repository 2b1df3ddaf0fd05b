"""What exiftool says about files, and sources whose metadata exiftool has written: an oracle independent of our own code."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed (libimage-exiftool-perl)")
#: Groups about a file and its container, not metadata of a picture.
ABOUT_THE_FILE = (
    *("System", "File", "ExifTool", "Composite", "RIFF", "Meta", "QuickTime", "Track", "ICC", "Jpeg2000", "JFIF", "SourceFile"),
    *("PNG:", "PNG-pHYs", "GIF:", "Adobe"),
)


def view(*paths: Path, arguments: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Return the tags of each file, by name: ``GROUP:TAG`` with its value in numbers."""
    command = ["exiftool", "-json", "-G1", "-n", "-struct", *arguments, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=False)
    return {Path(each["SourceFile"]).name: each for each in json.loads(done.stdout.decode("utf-8", "replace") or "[]")}


def metadata(tags: dict[str, Any]) -> dict[str, Any]:
    """Return those of ``tags`` that are metadata of the picture."""
    return {tag: value for tag, value in tags.items() if not tag.startswith(ABOUT_THE_FILE)}


def warnings(*paths: Path) -> dict[str, set[str]]:
    """Return the warnings of a validation of each file, by name, without those about entries that are missing.

    The standard demands entries, such as a resolution, that an output must not have: nothing is stated that the source did not
    state.
    """
    command = ["exiftool", "-json", "-validate", "-warning", "-error", "-a", "-G4", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=False)
    found = {}
    for each in json.loads(done.stdout or b"[]"):
        texts = {str(text) for tag, text in each.items() if tag.endswith(("Warning", "Error"))}
        found[Path(each["SourceFile"]).name] = {text for text in texts if "Missing required" not in text}
    return found


def write(path: Path, *assignments: str) -> Path:
    """Write metadata into a file."""
    done = subprocess.run(
        ["exiftool", "-q", "-m", "-overwrite_original", "-n", *assignments, str(path)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return path
