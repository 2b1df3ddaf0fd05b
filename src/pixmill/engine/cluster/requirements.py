"""What each worker needs of its node besides a core, such as a GPU, and the slots of nodes that have it."""

import math
from collections.abc import Iterator, Mapping

from pixmill.engine.cluster.backend import NodeSlot

GPU = "GPU"  # the name of GPUs among the resources of Ray; in Dask, the one that its documentation uses
_ROUNDING = 1e-6  # three workers with a third of a GPU each share one


def slots_of(name: str, label: str, cores: int, offered: Mapping[str, float], needs: Mapping[str, float]) -> Iterator[NodeSlot]:
    """Yield the slots of a node that has ``cores`` and the resources ``offered``, if each worker needs those of ``needs``.

    Workers that need GPUs get a slot for each GPU, or for each worker that needs several: an engine lets the processes of a slot
    see its GPUs only. ``label`` is the host of all of them. If the node lacks something, its one slot says so.
    """
    lacking = next((resource for resource, amount in needs.items() if _times(offered.get(resource, 0.0), amount) < 1), "")
    if lacking:
        yield NodeSlot(name, label, 0, lacks=_sentence(lacking, offered.get(lacking, 0.0), needs[lacking]))
        return
    gpus = needs.get(GPU, 0.0)
    workers = min([cores, *(_times(offered[resource], amount) for resource, amount in needs.items())])
    together = workers
    if gpus:
        together = max(1, _times(1.0, gpus))
        whole, part = divmod(offered[GPU], 1.0)
        workers = min(workers, int(whole) * together + _times(part, gpus)) if gpus < 1 else workers  # none has parts of two
    firsts = range(0, workers, together) if workers else (0,)
    for number, first in enumerate(firsts):
        cores_here = min(together, workers - first)
        yield NodeSlot(f"{name}{f'/{number}' if number else ''}", label, cores_here, sharing=len(firsts), shared_host=label)


def _times(offered: float, amount: float) -> int:
    """Return how many times ``amount`` there is in what is ``offered``."""
    return math.floor(offered / amount + _ROUNDING)


def _sentence(resource: str, offered: float, amount: float) -> str:
    return f"it offers {offered:g} of the resource {resource}, and a step of the recipe needs {amount:g} for each worker"
