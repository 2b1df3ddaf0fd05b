"""A folder that every user may look into."""

import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def public_path():
    """Return a folder outside pytest's own folders, which are private to this user and made private again at each start."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
