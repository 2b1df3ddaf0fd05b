"""The output of the command: results go to stdout, messages to stderr. A failed write to either cannot stop a run."""

import errno
import os
import stat
import textwrap
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TextIO

from pixmill.cli.host_names import HostNames
from pixmill.core.errors import PixmillError
from pixmill.core.text import printable
from pixmill.core.waits import Notice
from pixmill.engine.observability.json_lines import json_line


class Channel:
    """A standard stream. After the first failed write (closed, disk full, terminal gone) it silently discards all output.

    It has the methods of a text file that ``rich`` needs. ``error`` is the error that disabled the stream, or ``None``; a
    reader that closes its pipe (``| head``) is not an error.
    """

    def __init__(self, stream: TextIO | None) -> None:
        """Wrap ``sys.stdout`` or ``sys.stderr``, which Python sets to ``None`` when the stream is closed."""
        self.error: OSError | None = None
        self._stream = stream
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a locale without the character must not end a run

    @property
    def encoding(self) -> str:
        """Return the encoding of the stream."""
        return "utf-8" if self._stream is None else self._stream.encoding

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._stream is not None and self._stream.isatty()

    @property
    def width(self) -> int | None:
        """Return the terminal width in columns; ``None`` if the stream is not a terminal."""
        try:
            return os.get_terminal_size(self.fileno()).columns or None
        except OSError:
            return None

    @property
    def is_pipe(self) -> bool:
        """Return whether another program reads the stream."""
        try:
            return stat.S_ISFIFO(os.fstat(self.fileno()).st_mode)
        except OSError:
            return False

    def fileno(self) -> int:
        """Return the file descriptor."""
        if self._stream is None:
            raise OSError(errno.EBADF, "the stream is closed")
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Write ``text`` and flush it, so that no buffered output can be lost."""
        if self._stream is not None:
            try:
                self._stream.write(text)
                self._stream.flush()
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Do nothing: ``write`` flushes."""

    def _give_up(self, error: OSError) -> None:
        """Redirect the stream to /dev/null; otherwise the interpreter would flush its buffer at exit and report the error."""
        self.error = None if isinstance(error, BrokenPipeError) else error
        if self._stream is not None:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)
        self._stream = None


class Waits:
    """Shows what a command is waiting for. This one shows nothing; ``progress.waiting`` has another one."""

    def begin(self, notice: Notice) -> None:
        """Begin a wait, for what ``notice`` returns; the wait before it is over."""

    def end(self) -> None:
        """End the wait, so that others can use the terminal."""

    def hidden(self) -> AbstractContextManager[None]:
        """Return a context in which nothing is shown, so that a line can be printed."""
        return nullcontext()


class Console:
    """The two output channels of one command, and ``waits``, which shows what it is waiting for."""

    def __init__(self, out: TextIO | None, err: TextIO | None, environment: Mapping[str, str] = os.environ) -> None:
        """Wrap ``sys.stdout`` and ``sys.stderr``; ``environment`` tells the names that a container's host uses."""
        self.words = HostNames(environment).translated
        self.out = Channel(out)
        self.err = Channel(err)
        self.waits = Waits()

    def result(self, text: str) -> None:
        """Print ``text`` as a result."""
        with self.waits.hidden():
            self.out.write(f"{self.words(text)}\n")

    def record(self, data: object) -> None:
        """Print ``data`` as a result: one line of JSON, with file names that ``os.fsencode`` turns back into the same bytes."""
        with self.waits.hidden():
            self.out.write(json_line(data) + "\n")

    def message(self, text: str) -> None:
        """Print a message of several lines as it is."""
        with self.waits.hidden():
            self.err.write(f"{self.words(text)}\n")

    def say(self, text: str, *, margin: str = "") -> None:
        """Print a message, wrapped to the width of the terminal; every line but the first begins with ``margin``."""
        text = self.words(text)
        width = self.err.width
        lines = [text]
        if width is not None and len(text) > width:
            lines = textwrap.wrap(text, width, subsequent_indent=margin, break_on_hyphens=False)
        with self.waits.hidden():
            self.err.write("".join(f"{line}\n" for line in lines))


def open_standard_streams() -> None:
    """Open /dev/null in place of a closed standard stream; otherwise the next opened file would get its number and output."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def print_error(error: PixmillError, console: Console) -> None:
    """Print the message of ``error``, and its hint on the next line."""
    console.say(f"pixmill: {printable(error.message)}")
    if error.hint:
        console.say(f"  {printable(error.hint)}")
