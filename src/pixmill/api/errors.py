"""Errors as a Python program should see them: with keywords in place of the flags of the command."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from pixmill.batch.config.hints import command_arguments, with_arguments
from pixmill.batch.config.spelling import IN_PYTHON, respelled
from pixmill.core.errors import PixmillError
from pixmill.core.remedy import Options, retry_command

_RETRY = "pixmill retry DST"


@contextmanager
def with_keywords(destination: str = "", state: str | None = None) -> Iterator[None]:
    """Write the flags in the message and hint of an error as keywords, and ``destination`` in its commands.

    Without a destination nothing can be retried later: then a hint says what to pass to the same call.
    """
    try:
        yield
    except PixmillError as error:
        error.message = respelled(error.message, IN_PYTHON)
        hint = with_arguments(error.hint, command_arguments(destination, state)) if destination else _of_one_call(error)
        error.hint = respelled(hint, IN_PYTHON)
        raise


def _of_one_call(error: PixmillError) -> str:
    """Return the hint of ``error`` for a call that leaves nothing behind."""
    if not error.options:
        return error.hint.replace(_RETRY, "call it again")
    condition = error.hint.removesuffix(retry_command(error.options)).removesuffix(": ")
    return ": ".join(filter(None, (condition, f"pass {_keywords(error.options)}")))


def _keywords(options: Options) -> str:
    return ", ".join(f"{name}={value if isinstance(value, bool | int) else json.dumps(value)}" for name, value in options.items())
