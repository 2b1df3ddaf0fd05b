"""Long waits: the code that makes others wait says for what, and the command shows it."""

from collections.abc import Callable

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
