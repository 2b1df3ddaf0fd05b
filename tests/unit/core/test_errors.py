"""What an error shows."""

import traceback

from pixmill.core.errors import AddressError, PixmillError, error_codes


def test_a_traceback_shows_the_hint():
    error = AddressError("SRC is missing", hint="give a folder")
    assert str(error) == "SRC is missing\ngive a folder"
    assert "".join(traceback.format_exception(error)).endswith("pixmill.core.errors.AddressError: SRC is missing\ngive a folder\n")


def test_the_codes_of_all_errors_are_listed():
    assert {PixmillError.code, "limit-pixels", "timeout", "exists", "handler", "node-lost", "interrupted"} <= set(error_codes())
