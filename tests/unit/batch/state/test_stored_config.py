"""What a ledger keeps of a configuration: what decides the outcomes, and not when a run gives up."""

from pixmill.batch.config.options import resolve
from pixmill.batch.state.stored_config import stored_config


def test_a_limit_of_failures_is_not_part_of_what_a_retry_repeats():
    limited, unlimited = resolve("in", "out", {"max_failures": "5%"}), resolve("in", "out")
    assert stored_config(limited) == stored_config(unlimited)
    assert b"max_failures" not in stored_config(limited)


def test_every_other_option_is():
    assert stored_config(resolve("in", "out", {"timeout": "5s"})) != stored_config(resolve("in", "out"))
