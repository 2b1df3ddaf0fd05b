"""What this process may do with a path."""

import os
from pathlib import Path


def is_allowed(path: Path, access: int) -> bool:
    """Tell whether this process may do it as it is now, with the rights that a container or a ``sudo`` has given it."""
    return os.access(path, access, effective_ids=os.access in os.supports_effective_ids)
