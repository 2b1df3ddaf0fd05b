"""The access rights of this process."""

import os
from pathlib import Path


def is_allowed(path: Path, access: int) -> bool:
    """Tell whether this process has ``access`` to ``path`` with its current rights, as given by a container or ``sudo``."""
    return os.access(path, access, effective_ids=os.access in os.supports_effective_ids)
