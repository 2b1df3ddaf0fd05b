"""Photographs of the corpus, which tests of traits compare with other programs."""

from pathlib import Path

import pytest

PHOTOS = Path(__file__).parents[5] / "shared" / "corpus" / "photos"


@pytest.fixture
def corpus_photos():
    """Return the paths of some photographs."""
    paths = sorted(PHOTOS.rglob("*.jpg"))[::4]
    if not paths:
        pytest.skip("the corpus is not here")
    return paths
