"""The command ``pixmill``. ``--version`` answers immediately; everything else is imported only when needed."""

import gc
import os
import signal
import sys
from collections.abc import Sequence

from pixmill import __version__

#: Imports leave almost no garbage, but with Python's own threshold of 700, looking for it takes a twelfth of the start.
ALLOCATIONS_PER_COLLECTION = 50_000


def main(line: Sequence[str] | None = None) -> int:
    """Run the command line ``line`` (default: ``sys.argv``) and return the exit code."""
    if line is None:
        gc.set_threshold(ALLOCATIONS_PER_COLLECTION)
    words = list(sys.argv[1:] if line is None else line)
    if words[:1] in (["--version"], ["-V"]):
        sys.stdout.write(f"pixmill {__version__}\n")
        return 0
    try:
        from pixmill.cli.prestart import prestart_fork_server  # noqa: PLC0415  # --version must not pay for it

        with prestart_fork_server(words, os.environ):
            from pixmill.cli.dispatch import dispatch  # noqa: PLC0415  # likewise; and the fork server must start first

            code = dispatch(words, os.environ)
    except KeyboardInterrupt:  # before or after the block that handles signals
        return 130
    if line is None:
        _end_quietly()
    return code


def _end_quietly() -> None:
    """Ignore signals until the process exits: the work is done, and a late signal must not change the exit code."""
    from pixmill.core.operating_system import END_SIGNALS  # noqa: PLC0415  # --version must not pay for it

    for number in END_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()  # saves the 20 ms of a last garbage collection
