"""Remedies: the options with which a failed image passes, and the command that retries it with them."""

import shlex
from collections.abc import Mapping
from pathlib import Path

#: the values of options by name: text, a number, or ``True`` for a switch
Options = Mapping[str, bool | int | str]


def retry_command(options: Options) -> str:
    """Return the command that retries the failed images with ``options``; it names the destination ``DST``."""
    words = ((f"--{name.replace('_', '-')}", value) for name, value in options.items())
    return " ".join(["pixmill retry DST", *(flag if value is True else f"{flag} {value}" for flag, value in words)])


def install_command(extra: str) -> str:
    """Return the command that installs an ``extra``: from the clone that this program lies in, if its package is there, too."""
    package = Path(__file__).parents[3] / "packages" / f"pixmill-{extra}"
    return f"pip install {shlex.quote(str(package))}" if package.is_dir() else f"pip install 'pixmill[{extra}]'"


def with_command(condition: str, options: Options) -> str:
    """Return a hint: ``condition``, if any, and then the command."""
    return ": ".join(filter(None, (condition, retry_command(options) if options else "")))


def rounded_up(amount: int) -> int:
    """Return ``amount`` rounded up to whole millions, for a short value in a command; a smaller amount stays exact."""
    million = 1_000_000
    return amount if amount < million else -(-amount // million) * million
