"""Tests of the options that may prevent a failure."""

import pytest

from pixmill.batch.config.fingerprint import recipe_fingerprint
from pixmill.batch.config.options import resolve
from pixmill.batch.config.prevention import all_preventable_codes, is_preventable, preventable_codes, preventing_options
from pixmill.batch.state.stored_config import codes_preventable_since, stored_config
from pixmill.core.errors import error_codes
from pixmill.engine.ledger import RunRecord
from pixmill.engine.task import Failure


def config(source: str = "in", **options):
    return resolve(source, "out", options)


def run(number: int, metadata: bytes) -> RunRecord:
    return RunRecord(number=number, started_at=float(number), metadata=metadata)


def test_every_code_that_an_option_prevents_is_one():
    assert all_preventable_codes() - set(error_codes()) == {"retryable"}


@pytest.mark.parametrize("name", [name for name, option in preventing_options().items() if option.group != "Execution options"])
def test_an_option_that_prevents_failures_does_not_change_what_is_made(name):
    value = {"allow": ("svg",), "existing": "skip"}.get(name, True if name.startswith(("allow", "follow", "portable")) else 7)
    assert preventable_codes(config(), config(**{name: value})) == set(preventing_options()[name].prevents)
    assert recipe_fingerprint(config()) == recipe_fingerprint(config(**{name: value}))


def test_more_attempts_may_prevent_what_might_succeed_another_time():
    codes = preventable_codes(config(), config(attempts=5))
    assert is_preventable(Failure(code="read", stage="read", message="EIO", retryable=True), codes)
    assert not is_preventable(Failure(code="read", stage="read", message="no"), codes)


def test_the_options_are_compared_with_those_of_the_last_run_of_the_same_source():
    strict, lax = stored_config(config()), stored_config(config("other", timeout="5m"))
    runs = [run(1, strict), run(2, lax)]
    assert codes_preventable_since(runs, config(timeout="5m")) == {"timeout"}
    assert codes_preventable_since(runs, config()) == frozenset()
    assert codes_preventable_since([], config()) == frozenset()


@pytest.mark.parametrize("metadata", [b"", b"[]", b'{"unknown": 1}'])
def test_after_a_run_whose_configuration_cannot_be_read_everything_may_be_prevented(metadata):
    assert codes_preventable_since([run(1, metadata)], config()) == all_preventable_codes()
