"""The configuration of a run as its ledger stores it."""

import json

from pixmill.batch.config.models import RunConfig
from pixmill.storage.address import Address

STANDARD_INPUT = "-"


def stored_config(config: RunConfig) -> bytes:
    """Return ``config`` as the JSON that the ledger stores with a run."""
    builtins = config.to_builtins()
    del builtins["policy"]["max_failures"]  # a new limit changes no outcome, and a retry must not inherit the old one
    source = Address.parse(config.source).local
    if source and config.source != STANDARD_INPUT:
        builtins["source"] = str(source.absolute())  # a retry may be started from another folder
    return json.dumps(builtins).encode()  # unlike msgspec, json supports paths that are not UTF-8
