"""What becomes of the errors that a handler raises."""

import pytest

from pixmill.core.errors import AddressError, ConfigError, MissingExtra, ReadError, RecipeError, RunError
from pixmill.engine.failures import failure_of


@pytest.mark.parametrize("error", [ConfigError("x"), RecipeError("x"), RunError("x")])
def test_work_that_is_set_up_wrongly_ends_the_run_and_no_task_is_to_blame(error):
    assert failure_of(error, "transform").fatal


@pytest.mark.parametrize(
    "error", [AddressError("x"), MissingExtra("heif", "reading HEIC images"), ReadError("x"), ImportError("x")]
)
def test_what_a_task_may_be_about_fails_the_task(error):
    assert not failure_of(error, "read").fatal
