"""The extras of this package, and whether what they need is installed."""

import re
from functools import cache
from importlib import metadata

from pixmill.core.errors import MissingExtra

_DISTRIBUTION = "pixmill"
_NAME = re.compile(r"[\w.-]+")


def is_installed_since(hint: str) -> bool:
    """Return whether ``hint``, of an earlier ``MissingExtra``, has been followed: what it asks to install is there."""
    return any(hint == MissingExtra(extra, "").hint and _is_installed(extra) for extra in _extras())


def extras() -> dict[str, bool]:
    """Return the extras of the installed package, and whether each is installed; none if pixmill runs from its source."""
    return {extra: _is_installed(extra) for extra in _extras()}


@cache
def _extras() -> tuple[str, ...]:
    try:
        return tuple(metadata.metadata(_DISTRIBUTION).get_all("Provides-Extra") or ())
    except metadata.PackageNotFoundError:
        return ()  # run from its source, without being installed


@cache
def _is_installed(extra: str) -> bool:
    required = metadata.requires(_DISTRIBUTION) or ()
    names = [name[0] for each in required if f'extra == "{extra}"' in each.replace("'", '"') and (name := _NAME.match(each))]
    try:
        return bool([metadata.version(name) for name in names])
    except metadata.PackageNotFoundError:
        return False
