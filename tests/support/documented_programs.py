"""The Python programs in the documentation."""

import re
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGES = (REPOSITORY / "docs" / "python.md", REPOSITORY / "docs" / "howto.md")
_PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def documented_programs() -> Mapping[str, str]:
    """Return each program of docs/python.md and docs/howto.md, by a name for its file."""
    return {
        f"{page.stem.lower()}_{number}.py": program
        for page in PAGES
        for number, program in enumerate(_PROGRAM.findall(page.read_text("utf-8")), 1)
    }
