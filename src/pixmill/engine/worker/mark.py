"""The mark of a worker in its environment, which keeps it from starting a run. It imports no code of workers."""

import os

from pixmill.core.errors import RunError

_VARIABLE = "PIXMILL_WORKER"


def mark_as_worker() -> None:
    """Mark this process as a worker or a fork server."""
    os.environ[_VARIABLE] = str(os.getpid())


def refuse_in_worker() -> None:
    """Raise ``RunError`` if this process itself is a worker or a fork server; a program that one of them starts is neither."""
    if os.environ.get(_VARIABLE) == str(os.getpid()):
        hint = 'workers import the file of their function: put the call that starts the run under `if __name__ == "__main__":`'
        raise RunError("a worker process tried to start another run", hint=hint)
