"""Tell whether a file system ignores the case of names, without writing to it."""

import os
from pathlib import Path


def ignores_case(path: Path) -> bool:
    """Return whether the file system of ``path``, or of its nearest parent that exists, finds it under another case as well."""
    for each in (path, *path.absolute().parents):
        if each.name.swapcase() != each.name and os.path.exists(each):
            other = each.with_name(each.name.swapcase())
            return os.path.exists(other) and os.path.samefile(each, other)
    return False
