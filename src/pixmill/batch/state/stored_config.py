"""The configuration of a run as its ledger keeps it."""

import json

from pixmill.batch.config.models import RunConfig
from pixmill.storage.address import Address

STANDARD_INPUT = "-"


def stored_config(config: RunConfig) -> bytes:
    """Return ``config`` as the JSON that the ledger keeps with a run."""
    asked = config.to_builtins()
    source = Address.parse(config.source).local
    if source and config.source != STANDARD_INPUT:
        asked["source"] = str(source.absolute())  # a retry may be asked for from another folder
    return json.dumps(asked).encode()  # unlike msgspec, it can hold a path that is not UTF-8
