"""How progress is shown: as a bar that is redrawn, as plain lines, or not at all."""

from collections.abc import Mapping
from typing import Literal

from pixmill.cli.console import Console
from pixmill.cli.options.output import CommonOutput, RunOutput

Mode = Literal["bar", "plain", "none"]


def progress_mode(output: CommonOutput, console: Console, environment: Mapping[str, str]) -> Mode:
    """Return the mode that ``output`` selects; ``auto`` is a bar on an interactive terminal and plain lines otherwise."""
    if isinstance(output, RunOutput) and output.quiet:
        return "none"
    if isinstance(output, RunOutput) and output.progress != "auto":
        return output.progress
    shares_terminal = output.json and console.out.isatty()
    can_draw = console.err.isatty() and environment.get("TERM", "dumb") not in ("dumb", "unknown")
    is_ci = environment.get("CI", "") not in ("", "false", "0")  # its output is a log, even if it looks like a terminal
    return "bar" if can_draw and not shares_terminal and not is_ci else "plain"
