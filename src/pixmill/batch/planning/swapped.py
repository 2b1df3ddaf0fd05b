"""Recognise SRC and DST in the wrong order: SRC has the records of a run that read from DST."""

from pixmill.batch.config.shard import Shard
from pixmill.batch.planning.known_sources import prefixes_in
from pixmill.batch.state.earlier_ledgers import EarlierLedgers
from pixmill.batch.state.location import default_state
from pixmill.core.errors import AddressError
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.local.inodes import real


def refuse_swapped(source: Address, destination: Address) -> None:
    """Raise ``AddressError`` if ``source`` has the outputs of an earlier run from ``destination``, by the records in it."""
    if not (source.local and source.local.is_dir() and destination.local and destination.local.is_dir()):
        return
    state = default_state(source)
    if not state.is_dir():
        return
    ledgers = EarlierLedgers(state, Shard())
    try:
        with ledgers.lock:
            is_swapped = any(real(destination.location) in prefixes_in(ledger) for ledger in ledgers.opened())
    finally:
        ledgers.close()
    if is_swapped:
        first, last = printable(source.location), printable(destination.location)
        raise AddressError(
            f"SRC {first} has the outputs of an earlier run from DST {last}",
            hint=f"if they are in the wrong order: pixmill run {last} {first}; if not, choose another DST",
        )
