"""The Python programs in the documentation."""

import re
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGES = tuple(REPOSITORY / "docs" / name for name in ("python.md", "howto.md", "python-api.md", "coming-from.md"))
_PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def documented_programs() -> Mapping[str, str]:
    """Return each program of these pages, by a name for its file."""
    return {
        f"{page.stem.lower().replace('-', '_')}_{number}.py": program
        for page in PAGES
        for number, program in enumerate(_PROGRAM.findall(page.read_text("utf-8")), 1)
    }
