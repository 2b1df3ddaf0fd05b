"""The configuration of an earlier run, for repeating it where its outputs are now."""

from pixmill.batch.config.models import RunConfig
from pixmill.batch.datasets.dataset import with_former_packing
from pixmill.batch.state.ledger_files import LedgerFile


def relocated(config: RunConfig, destination: str, moved: LedgerFile | None) -> RunConfig:
    """Return ``config`` for the current location of its outputs; ``moved`` is its ledger if that is not in the default location."""
    sharded = config.selection.shard.count > 1  # its ledger is in a subfolder of the state folder
    state = str(moved.folder.parent if sharded else moved.folder) if moved else None
    return config.evolve(
        destination=with_former_packing(destination, config.destination),
        force=False,
        placement=config.placement.evolve(state=state),
    )
