"""A run of four photos, and what it wrote."""

import pytest


@pytest.fixture
def out(tmp_path, photos, run):
    """Return DST after a run of ``photos``."""
    assert len(list(photos.iterdir())) == 4
    assert run().returncode == 0
    return tmp_path / "out"


@pytest.fixture
def run(pixmill, photos):
    return lambda *words: pixmill("run", photos.name, "out", "--executor", "inline", *words)
