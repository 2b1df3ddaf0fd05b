"""Find out whether the store of an output honours conditional writes, which protect the objects of other programs."""

from pixmill.core.errors import ImageError
from pixmill.storage.address import Address
from pixmill.storage.object_store.storage import ObjectStorage
from pixmill.storage.open import open_storage
from pixmill.storage.retry.policy import RetryPolicy

DEADLINE = 30.0  # seconds for each request, retries included
WARNING = (
    "the store ignores the conditions of conditional writes, so each name is checked before it is written to: "
    "if another program writes to it at the same moment, its object is replaced"
)


def honours_conditions(destination: Address, *, tag: str) -> bool:
    """Tell whether the store at ``destination`` honours conditional writes; true if it is no store, or does not respond.

    ``tag`` belongs to the run: another one may probe the same store at the same time.
    """
    storage = open_storage(destination)
    if not isinstance(storage, ObjectStorage):
        return True
    path = f".pixmill/probe-{tag}".encode()
    try:
        return storage.honours_conditions(path, RetryPolicy(deadline=DEADLINE))
    except ImageError:  # the first output that is written reports what is wrong
        return True
