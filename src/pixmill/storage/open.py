"""Open the storage at an address: its scheme is found by name."""

import os

from pixmill.core.errors import AddressError
from pixmill.core.registry import Registry
from pixmill.storage.address import Address
from pixmill.storage.storage import Scheme, Storage


def schemes() -> Registry[Scheme]:
    """Return every storage scheme, by the name before ``://``."""
    package = "pixmill.storage.schemes"
    return Registry(package, Scheme, "storage scheme", AddressError)  # type: ignore[type-abstract]  # it instantiates none


def open_storage(address: Address | str | bytes | os.PathLike[str], *, tag: str = "0", follow_symlinks: bool = False) -> Storage:
    """Open a local path or a URL; for an unknown scheme, ``AddressError`` suggests the one with the closest name.

    ``tag`` belongs to the run: it marks the temporaries of this storage's writes, so that ``remove_temporaries`` can tell to
    which run they belong.
    """
    parsed = address if isinstance(address, Address) else Address.parse(address)
    return schemes().get(parsed.scheme).open(parsed, tag=tag, follow_symlinks=follow_symlinks)
