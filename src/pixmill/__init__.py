"""pixmill resizes, converts and optimises folders and buckets of images, without losing one.

The names below are the public API. Each is imported on first use, so that ``import pixmill`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixmill.batch.api import open_run, process, run
    from pixmill.batch.report.summary import Report
    from pixmill.core.errors import ConfigError, ImageError, PixmillError, RunError, WorkerError
    from pixmill.imaging.image import Image
    from pixmill.imaging.recipe import Recipe, Rendition

__version__ = "0.1.0"

_HOMES = {
    "ConfigError": "pixmill.core.errors",
    "Image": "pixmill.imaging.image",
    "ImageError": "pixmill.core.errors",
    "PixmillError": "pixmill.core.errors",
    "Recipe": "pixmill.imaging.recipe",
    "Rendition": "pixmill.imaging.recipe",
    "Report": "pixmill.batch.report.summary",
    "RunError": "pixmill.core.errors",
    "WorkerError": "pixmill.core.errors",
    "open_run": "pixmill.batch.api",
    "process": "pixmill.batch.api",
    "run": "pixmill.batch.api",
}

__all__ = [
    "ConfigError",
    "Image",
    "ImageError",
    "PixmillError",
    "Recipe",
    "Rendition",
    "Report",
    "RunError",
    "WorkerError",
    "open_run",
    "process",
    "run",
]


def __getattr__(name: str) -> object:
    """Import a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pixmill' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
