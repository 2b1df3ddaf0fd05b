"""The name of an output that the user has chosen in full."""

from collections.abc import Iterable

from pixmill.batch.naming.namer import Namer
from pixmill.batch.naming.template import Template


class FixedNamer(Namer):
    """Gives the one source of a run the one name ``name``."""

    def __init__(self, name: bytes) -> None:
        """Store the name of the output, below DST."""
        super().__init__(Template(), ())
        self._name = name

    def names(self, sources: Iterable[bytes], folders: Iterable[bytes] = ()) -> dict[bytes, tuple[bytes, ...]]:
        """Return the name for every source; there is only one."""
        del folders
        return dict.fromkeys(sources, (self._name,))

    def is_renamed(self, source: bytes, names: tuple[bytes, ...]) -> bool:
        """Return ``False``: the name is the one that was asked for."""
        del source, names
        return False
