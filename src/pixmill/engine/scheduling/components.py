"""The components that a scheduler works with."""

import random
from collections.abc import Callable

import msgspec

from pixmill.engine.clock import Clock
from pixmill.engine.executor import Executor
from pixmill.engine.ipc.status_file import StatusFile
from pixmill.engine.ledger import Ledger
from pixmill.engine.observability.publisher import EventPublisher
from pixmill.engine.policy import Policy
from pixmill.engine.resources.memory import MemoryBudget
from pixmill.engine.scheduling.admission import Admission
from pixmill.engine.scheduling.deferrals import Resolve
from pixmill.engine.scheduling.next_pass import Renewal
from pixmill.engine.scheduling.store_breaker import Hold, no_hold


class Components(msgspec.Struct, frozen=True, kw_only=True):
    """The components that a scheduler works with."""

    executor: Executor
    ledger: Ledger
    policy: Policy
    admission: Admission
    publisher: EventPublisher
    memory: MemoryBudget
    clock: Clock
    rng: random.Random
    status_file: StatusFile | None = None
    resolve: Resolve | None = None
    renewal: Renewal | None = None
    hold: Callable[[], Hold | None] = no_hold
