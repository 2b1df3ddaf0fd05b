"""Interactive shells in pseudo terminals, in which a test types and presses the tab key."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

PATIENCE = 30  # seconds until a shell that says nothing has failed
COLUMNS = 400
TAB, SHOW, CLEAR = "\t", "\x14", "\x15"  # Ctrl-T shows the line, Ctrl-U clears it
TYPED = re.compile(r"[\s\x08p]*pixmill ")  # as zsh shows a line again that was typed
END = "<<end>>"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07|\x0f|\x07|\0")

BASH = r"""
bind 'set enable-bracketed-paste off' 'set bell-style none'
bind 'set show-all-if-ambiguous on'
bind 'set page-completions off'
bind 'set completion-query-items 0'
bind 'set completion-display-width 0'
show() { printf '\n<<%s>>\n' "$READLINE_LINE"; }
bind -x '"\C-t": show'
PS1='> '
"""
ZSH = r"""
unsetopt zle_bracketed_paste prompt_cr prompt_sp always_last_prompt list_beep list_types list_ambiguous
LISTMAX=10000 PS1='> '
autoload -Uz compinit && compinit -u -D
show() { print -r -- $'\n'"<<$BUFFER>>" }
zle -N show
bindkey -e
bindkey '^T' show
bindkey '^I' complete-word
"""


class Completed(NamedTuple):
    """The line after the tab key, and the words that were listed, with their descriptions."""

    line: str
    words: dict[str, str]


class Terminal:
    """A program in a pseudo terminal of a given width."""

    def __init__(self, words: Sequence[str], *, columns: int = COLUMNS, cwd: Path, env: Mapping[str, str]) -> None:
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 1000, columns, 0, 0))
        self._process = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, cwd=cwd, env=env
        )
        os.close(theirs)

    def write(self, text: str) -> None:
        os.write(self._own, text.encode())

    def read_until(self, pattern: str) -> str:
        """Return what was written, once ``pattern`` is in it."""
        text, end = "", time.monotonic() + PATIENCE
        while not re.search(pattern, text):
            assert select.select([self._own], [], [], max(0, end - time.monotonic()))[0], text
            text += os.read(self._own, 65536).decode()
        return text

    def read_all(self) -> str:
        """Return everything that the program writes until it ends."""
        parts = []
        try:
            while part := os.read(self._own, 65536):
                parts.append(part)
        except OSError:  # how Linux says that the other side is closed
            pass
        self._process.wait(PATIENCE)
        return b"".join(parts).decode()

    def close(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)
        os.close(self._own)


class Shell:
    """bash or zsh, started without anybody's settings, with the completion that ``setup`` defines."""

    def __init__(self, terminal: Terminal, setup: str, folder: Path) -> None:
        self._terminal = terminal
        script = folder / "setup"
        script.write_text(setup)
        terminal.write(f"source {script}; echo re''ady\n")
        terminal.read_until("ready")

    def complete(self, line: str) -> Completed:
        """Type ``line`` and the tab key; return what became of it."""
        self._terminal.write(line + TAB + SHOW)
        shown = ESCAPES.sub("", self._terminal.read_until(r"<<[^>]*>>")).replace("\r\n", "\n")
        self._terminal.write(CLEAR)
        listing, _, rest = shown.rpartition("<<")
        return Completed(rest.partition(">>")[0], dict(_words(listing)))


class Fish:
    """fish, which tells by itself how it would complete a line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def complete(self, line: str) -> Completed:
        """Return the words that complete ``line``; it stays as it is."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        listing = iter(self._process.stdout.readline, f"{END}\n")
        words = (each.rstrip("\n").partition("\t") for each in listing)
        return Completed(line, {word: description for word, _, description in words})


def _words(listing: str) -> Iterator[tuple[str, str]]:
    for each in listing.splitlines():
        seen = each.rpartition("\r")[2]
        if seen.strip() and not seen.startswith("> ") and not TYPED.match(seen):
            word, dashes, description = seen.partition(" -- ")
            if dashes:
                yield word.split()[0], description.strip()
            else:
                yield from ((name, "") for name in seen.split())


@contextmanager
def shell(name: str, setup: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Shell | Fish]:
    """Start the shell ``name`` in ``folder``, its home, with the lines ``setup``; skip the test where it is not installed."""
    program = need(name)
    environment = {**environment, "TERM": "vt100", "HOME": str(folder), "INPUTRC": os.devnull}
    if name == "fish":
        loop = f"{setup}\nwhile read -l line; complete -C $line; echo '{END}'; end"
        with subprocess.Popen(
            (program, "-c", loop), cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            yield Fish(process)
            process.communicate()
        return
    start, settings = {"bash": ((program, "--norc", "--noprofile", "-i"), BASH), "zsh": ((program, "-f", "-i"), ZSH)}[name]
    terminal = Terminal(start, cwd=folder, env=environment)
    try:
        yield Shell(terminal, settings + setup, folder)
    finally:
        terminal.close()


def need(name: str) -> str:
    """Return the path of a program; skip the test where it is not installed."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed (Debian: apt install {name})")
    return program
