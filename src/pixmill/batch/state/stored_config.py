"""The configuration of a run as its ledger stores it."""

import json
import os

from pixmill.batch.config.models import RunConfig
from pixmill.storage.address import Address

STANDARD_INPUT = "-"


def stored_config(config: RunConfig) -> bytes:
    """Return ``config`` as the JSON that the ledger stores with a run."""
    builtins = config.to_builtins()
    if isinstance(config.source, tuple):
        builtins["source"] = [_absolute(source) for source in config.source]
    else:
        source = Address.parse(config.source).local
        if source and config.source != STANDARD_INPUT:
            builtins["source"] = str(source.absolute())  # a retry may be started from another folder
    return json.dumps(builtins).encode()  # unlike msgspec, json supports paths that are not UTF-8


def _absolute(source: str) -> str:
    """Return one of several sources as an address that does not depend on the current folder; ``A/.`` does not become ``A``."""
    address = Address.parse(source)
    return os.path.join(os.getcwd(), os.fsdecode(address.location)) if address.local else source  # noqa: PTH109, PTH118  # a Path drops the dot
