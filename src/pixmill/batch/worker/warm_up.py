"""Imports that every worker would otherwise do for its first image: the fork server imports this module before it forks.

It starts no threads and runs no plugin code: that is left to workers, which may crash.
"""

import importlib
import os

from PIL import Image

from pixmill.imaging.codec import Codec
from pixmill.imaging.formats import sniff
from pixmill.imaging.operation import Operation

_THREADS = "OPENBLAS_NUM_THREADS"


def _prepare() -> None:
    """Import what most images need, and look for plugins, which takes as long as processing a small image."""
    _import_with_one_thread("pixmill.batch.worker.handler")
    importlib.import_module("pixmill.storage.schemes.file")
    importlib.import_module("pixmill.batch.worker.writer")
    Image.preinit()
    Operation.registry.get("resize")
    if Codec.registry.preload():
        sniff(b"")


def _import_with_one_thread(module: str) -> None:
    """Import ``module``, and with it numpy, without OpenBLAS starting a thread per core: that takes 30 ms and burdens workers."""
    original = os.environ.get(_THREADS)
    os.environ.setdefault(_THREADS, "1")
    try:
        importlib.import_module(module)
    finally:
        if original is None:
            del os.environ[_THREADS]


_prepare()
