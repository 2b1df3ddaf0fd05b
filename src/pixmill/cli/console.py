"""Where the command prints: results to stdout, talk to stderr. Neither can break the work."""

import errno
import os
import textwrap
from typing import TextIO

from pixmill.core.errors import PixmillError
from pixmill.core.text import printable
from pixmill.engine.observability.json_lines import json_line


class Channel:
    """A standard stream. Once it cannot be written (closed, full, a terminal that went away) it takes everything in silence.

    It has the methods of a text file that ``rich`` asks for. ``fault`` is why it was given up; a reader that went away
    (``| head``) is not a fault.
    """

    def __init__(self, stream: TextIO | None) -> None:
        """Take ``sys.stdout`` or ``sys.stderr``; ``None`` is what Python makes of a closed one."""
        self.error: OSError | None = None
        self._stream = stream
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a locale without the character must not end a run

    @property
    def encoding(self) -> str:
        """Return the encoding of the stream."""
        return "utf-8" if self._stream is None else self._stream.encoding

    def isatty(self) -> bool:
        """Tell whether someone is looking at it on a terminal."""
        return self._stream is not None and self._stream.isatty()

    @property
    def width(self) -> int | None:
        """Return how many columns there are; ``None`` where lines have no end."""
        try:
            return os.get_terminal_size(self.fileno()).columns or None
        except OSError:
            return None

    def fileno(self) -> int:
        """Return the file descriptor."""
        if self._stream is None:
            raise OSError(errno.EBADF, "the stream is closed")
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Write ``text`` and hand it over at once; nothing is kept in a buffer that could be lost."""
        if self._stream is not None:
            try:
                self._stream.write(text)
                self._stream.flush()
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Do nothing: ``write`` has."""

    def _give_up(self, error: OSError) -> None:
        """Send what is still in Python's buffer to nowhere, or the interpreter would try again at its exit and complain."""
        self.error = None if isinstance(error, BrokenPipeError) else error
        if self._stream is not None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        self._stream = None


class Console:
    """The two channels of one command."""

    def __init__(self, out: TextIO | None, err: TextIO | None) -> None:
        """Take ``sys.stdout`` and ``sys.stderr``."""
        self.out = Channel(out)
        self.err = Channel(err)

    def result(self, text: str) -> None:
        """Print ``text`` as a result."""
        self.out.write(f"{text}\n")

    def record(self, data: object) -> None:
        """Print ``data`` as a result: JSON on one line, with names that ``os.fsencode`` turns back into the same bytes."""
        self.out.write(json_line(data) + "\n")

    def say(self, text: str, *, margin: str = "") -> None:
        """Tell the person who is watching, on as many lines as the terminal needs; all but the first begin with ``margin``."""
        width = self.err.width
        if width is None or len(text) <= width:
            self.err.write(f"{text}\n")
        else:
            lines = textwrap.wrap(text, width, subsequent_indent=margin, break_on_hyphens=False)
            self.err.write("".join(f"{line}\n" for line in lines))


def open_standard_streams() -> None:
    """Put /dev/null where a standard stream is closed, or the next file that is opened would get its number, and its output."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def print_error(error: PixmillError, console: Console) -> None:
    """Say what happened, and what to do about it."""
    console.say(f"pixmill: {printable(error.message)}")
    if error.hint:
        console.say(f"  {printable(error.hint)}")
