"""An error as people see it: one sentence, and on the next line what to do about it."""

from pixmill.cli.console import Console
from pixmill.core.errors import PixmillError
from pixmill.core.text import printable


def say_error(error: PixmillError, console: Console) -> None:
    """Say what happened, and what to do about it."""
    console.say(f"pixmill: {printable(error.message)}")
    if error.hint:
        console.say(f"  {printable(error.hint)}")
