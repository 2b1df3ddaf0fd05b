"""A folder that every user may look into."""

import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def public_path():
    """Return a folder outside of pytest's own, which are for this user alone and made so again whenever pytest is started."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
