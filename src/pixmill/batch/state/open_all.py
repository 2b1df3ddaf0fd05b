"""Open several ledgers of an output to change them while nothing is run, under the locks that runs take."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from pixmill.batch.state import state_folder
from pixmill.batch.state.ledger_files import LOCK, LedgerFile, open_to_write
from pixmill.batch.state.location import default_state
from pixmill.batch.state.lock import Lock
from pixmill.core.errors import RunError
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage


def open_all(
    files: Sequence[LedgerFile], output: Address, stack: ExitStack, *, beside_shards: bool = False
) -> tuple[list[SqliteLedger], Callable[[], None]]:
    """Lock the ``output`` and its ledgers ``files``, and open these; ``RunError`` while a run has one of them.

    With ``beside_shards`` other shards may run meanwhile. Returns the ledgers, and a function that raises ``RunError`` if a lock
    in a store was lost.
    """
    whole = default_state(output)
    state_folder.make(whole)
    stack.enter_context(Lock(whole / LOCK, str(output), shared=beside_shards))
    checks: list[Callable[[], None]] = []
    ledgers = []
    for file in files:
        if file.folder != whole:
            stack.enter_context(Lock(file.folder / LOCK, str(output)))
        _lock_in_store(file, output, stack, checks, is_one_split=len({each.shard.count for each in files}) == 1)
        ledgers.append(open_to_write(file.folder))
        stack.callback(ledgers[-1].close)

    def check() -> None:
        for each in checks:
            each()

    return ledgers, check


def _lock_in_store(
    file: LedgerFile, output: Address, stack: ExitStack, checks: list[Callable[[], None]], *, is_one_split: bool
) -> None:
    if output.local:
        return
    from pixmill.batch.state.remote.session import RemoteStateSession  # noqa: PLC0415  # most outputs are folders
    from pixmill.storage.object_store.storage import ObjectStorage  # noqa: PLC0415

    storage = open_storage(output)
    if not isinstance(storage, ObjectStorage):
        return
    if not is_one_split:
        message = f"{output} is being split into another number of shards"
        raise RunError(message, code="locked", hint="let every shard run once, then prune")
    session = RemoteStateSession(storage, file.folder, file.shard)
    stack.callback(session.end)
    session.begin()
    checks.append(session.check)
