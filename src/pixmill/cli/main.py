"""The command ``pixmill``. ``--version`` answers at once; everything else is imported when it is known to be needed."""

import gc
import os
import signal
import sys
from collections.abc import Sequence

from pixmill import __version__


def main(line: Sequence[str] | None = None) -> int:
    """Run the command line ``line`` (what was typed, by default) and return the exit code."""
    typed = list(sys.argv[1:] if line is None else line)
    if typed[:1] in (["--version"], ["-V"]):
        sys.stdout.write(f"pixmill {__version__}\n")
        return 0
    try:
        from pixmill.cli.prestart import prestart_fork_server  # noqa: PLC0415  # --version must not pay for it

        with prestart_fork_server(typed, os.environ):
            from pixmill.cli.dispatch import dispatch  # noqa: PLC0415  # the same, and what has a head start must be first

            code = dispatch(typed, os.environ)
    except KeyboardInterrupt:  # before or after the part that listens to signals
        return 130
    if line is None:
        _end_quietly()
    return code


def _end_quietly() -> None:
    """Let nothing but the end of the process follow: what was done is done, and the exit code says so whatever signal comes."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()  # the interpreter need not look for garbage, which takes it 20 ms
