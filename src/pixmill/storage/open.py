"""From an address to the storage that is there: the schemes, found by name."""

import os

from pixmill.core.errors import AddressError
from pixmill.core.registry import Registry
from pixmill.storage.address import Address
from pixmill.storage.storage import Scheme, Storage


def schemes() -> Registry[Scheme]:
    """Return every storage scheme, by the name that stands before ``://``."""
    package = "pixmill.storage.schemes"
    return Registry(package, Scheme, "storage scheme", AddressError)  # type: ignore[type-abstract]  # it makes none


def open_storage(address: Address | str | bytes | os.PathLike[str], *, tag: str = "0", follow_symlinks: bool = False) -> Storage:
    """Open a local path or a URL; ``AddressError`` names the nearest scheme when there is none of that name.

    ``tag`` is the run's own: it marks the temporaries of this storage's writes, so that ``sweep`` can tell whose they are.
    """
    where = address if isinstance(address, Address) else Address.parse(address)
    return schemes().get(where.scheme).open(where, tag=tag, follow_symlinks=follow_symlinks)
