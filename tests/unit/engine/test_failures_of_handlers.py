"""How the errors that a handler raises become failures."""

import pytest

from pixmill.core.errors import AddressError, ConfigError, MissingExtra, ReadError, RecipeError, RunError
from pixmill.engine.failures import failure_of


@pytest.mark.parametrize("error", [ConfigError("x"), RecipeError("x"), RunError("x")])
def test_a_setup_error_ends_the_run_and_blames_no_task(error):
    assert failure_of(error, "transform").fatal


@pytest.mark.parametrize(
    "error", [AddressError("x"), MissingExtra("heif", "reading HEIC images"), ReadError("x"), ImportError("x")]
)
def test_an_error_that_concerns_one_task_fails_the_task(error):
    assert not failure_of(error, "read").fatal
