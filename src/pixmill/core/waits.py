"""Long waits: the code that makes others wait says for what, and the command shows it."""

from collections.abc import Callable

#: seconds for which a run waits by default for a store that refuses requests or does not answer
STORE_TIMEOUT = 600.0

#: Returns what is being waited for, as it is now: ``listing photos: 1,200 images found so far``. Called from another thread.
Notice = Callable[[], str]
#: Takes the notice of the wait that begins now.
OnWait = Callable[[Notice], None]


def unannounced(notice: Notice) -> None:
    """Show nothing."""
    del notice


class Tally:
    """The number of things done so far, which another thread may read."""

    def __init__(self) -> None:
        """Start at zero."""
        self.count = 0
