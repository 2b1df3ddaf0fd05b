"""What every worker would do again for its first image, done once: the nursery imports this before it forks.

It starts no thread, and runs no code of a plugin: that is for workers, which may die of it.
"""

import importlib
import os

from PIL import Image

from pixmill.imaging.codec import Codec
from pixmill.imaging.formats import sniff
from pixmill.imaging.operation import Operation

_THREADS = "OPENBLAS_NUM_THREADS"


def _prepare() -> None:
    """Import what most images need, and look for plugins, which takes as long as a small picture."""
    _import_with_one_thread("pixmill.batch.worker.handler")
    importlib.import_module("pixmill.storage.schemes.file")
    Image.preinit()
    Operation.registry.get("resize")
    if Codec.registry.preload():
        sniff(b"")


def _import_with_one_thread(module: str) -> None:
    """Import ``module`` and with it numpy, whose OpenBLAS has a thread for each core: 30 ms here, and a crowd in workers."""
    given = os.environ.get(_THREADS)
    os.environ.setdefault(_THREADS, "1")
    try:
        importlib.import_module(module)
    finally:
        if given is None:
            del os.environ[_THREADS]


_prepare()
