"""The progress of a run that a Python program has started: the bar of the command in a terminal, one in place in a notebook."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any

from pixmill.batch.batch_run import BatchRun
from pixmill.batch.progress.progress import Progress, ProgressSnapshot
from pixmill.cli.console import Console
from pixmill.cli.options.output import RunOutput
from pixmill.cli.progress.display import Display, Printer, printer_for
from pixmill.cli.progress.plain import line

_STYLE = "font-family: monospace"


class RunDisplay:
    """Shows the progress of one run. ``progress`` must be one of its observers."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self.progress = Progress(time.monotonic)

    @contextmanager
    def displaying(self, run: BatchRun) -> Iterator[None]:
        """Show the progress of ``run`` for the duration of the block."""
        with Display(self.progress, _printer) as display:
            display.count_ahead(run.work_total)
            yield


class NotebookProgress:
    """Shows progress in the output of a notebook's cell: one line with a bar, updated in place; as text where HTML is not shown."""

    def __init__(self, display: Any) -> None:  # noqa: ANN401  # IPython has no types that are always there
        """Open an output with ``display``, a function as ``IPython.display.display``."""
        self._output = display(_mime_bundle("", 0.0), raw=True, display_id=True)
        self._display = display

    def show(self, now: ProgressSnapshot) -> None:
        """Update the output."""
        self._output.update(_mime_bundle(line("IN PROGRESS", now, now.images_rate), now.share), raw=True)

    def say(self, text: str) -> None:
        """Print ``text`` in an output of its own."""
        self._display(_mime_bundle(text), raw=True)

    def finish(self, now: ProgressSnapshot) -> None:
        """Show the final progress."""
        is_done = now.finished == now.total
        rate = now.worked / now.elapsed if now.elapsed else 0.0
        self._output.update(_mime_bundle(line("DONE" if is_done else "STOPPED", now, rate), now.share), raw=True)


def _mime_bundle(text: str, share: float | None = None) -> Mapping[str, str]:
    """Return ``text`` for a notebook, as text and as HTML with a bar; the bar is omitted if the ``share`` is unknown."""
    bar = "" if share is None else f'<progress max="1" value="{share:.3f}" style="width: 16em"></progress> '
    return {"text/plain": text, "text/html": f'<div style="{_STYLE}">{bar}{escape(text)}</div>'}


def _printer() -> Printer:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None and getattr(shell, "kernel", None) is not None:
        from IPython.display import display  # noqa: PLC0415  # loaded already, by the notebook

        return NotebookProgress(display)
    return printer_for(RunOutput(), Console(None, sys.stderr), os.environ)
