"""pixmill resizes, converts and optimises folders and buckets of images, without losing one.

run           process a folder or bucket of images, and return a Report
open_run      the same, to follow each image as it finishes
prune         list or remove the outputs of images that are gone
process       process one image (bytes, path, file, Pillow image or array), and return the content of the output
process_all   the same, for several outputs of one image
Recipe        how to process each image: the steps, and one or more renditions
Rendition     one output of a recipe: further steps, the format and a name
Image         the pixels that a step of your own takes and returns
Output        a result of process: bytes with format, width and height
ImageOutcome  what became of one image of a run
Report        the results of a run: counts, bytes, failures by code
PruneResult   what prune removed, or would remove
ImageOptions  the keywords of process, with their types
RunOptions    the keywords of run and open_run, with their types
PixmillError  the base of all errors: ConfigError (nothing was run), ImageError (one image), WorkerError (a process), RunError
Skip          what a step of your own raises to reject an image
Step          the base of a step of your own that loads something once in each worker, such as a model
engine        run any function over any tasks in processes that may die

Each name is imported on first use, so that ``import pixmill`` costs nothing.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "ConfigError": "pixmill.core.errors",
    "Image": "pixmill.imaging.image",
    "ImageError": "pixmill.core.errors",
    "ImageOptions": "pixmill.api.image_keywords",
    "ImageOutcome": "pixmill.batch.report.outcomes",
    "Output": "pixmill.api.process",
    "PixmillError": "pixmill.core.errors",
    "PruneResult": "pixmill.batch.pruning.result",
    "Recipe": "pixmill.imaging.recipe",
    "Rendition": "pixmill.imaging.recipe",
    "Report": "pixmill.batch.report.summary",
    "RunError": "pixmill.core.errors",
    "RunOptions": "pixmill.api.keywords",
    "Skip": "pixmill.core.errors",
    "Step": "pixmill.imaging.user_steps.step",
    "WorkerError": "pixmill.core.errors",
    "engine": "pixmill.engine",
    "open_run": "pixmill.api.runs",
    "process": "pixmill.api.process",
    "process_all": "pixmill.api.process",
    "prune": "pixmill.api.pruning",
    "run": "pixmill.api.runs",
}

__all__ = [
    "ConfigError",
    "Image",
    "ImageError",
    "ImageOptions",
    "ImageOutcome",
    "Output",
    "PixmillError",
    "PruneResult",
    "Recipe",
    "Rendition",
    "Report",
    "RunError",
    "RunOptions",
    "Skip",
    "Step",
    "WorkerError",
    "engine",
    "open_run",
    "process",
    "process_all",
    "prune",
    "run",
]

if TYPE_CHECKING:
    from pixmill import engine
    from pixmill.api.image_keywords import ImageOptions
    from pixmill.api.keywords import RunOptions
    from pixmill.api.process import Output, process, process_all
    from pixmill.api.pruning import prune
    from pixmill.api.runs import open_run, run
    from pixmill.batch.pruning.result import PruneResult
    from pixmill.batch.report.outcomes import ImageOutcome
    from pixmill.batch.report.summary import Report
    from pixmill.core.errors import ConfigError, ImageError, PixmillError, RunError, Skip, WorkerError
    from pixmill.imaging.image import Image
    from pixmill.imaging.recipe import Recipe, Rendition
    from pixmill.imaging.user_steps.step import Step
else:

    def __getattr__(name: str) -> object:
        """Import a public name on first use."""
        if name not in _HOMES:
            raise AttributeError(f"module 'pixmill' has no attribute '{name}'", name=name, obj=sys.modules["pixmill"])
        home = import_module(_HOMES[name])
        return home if _HOMES[name] == f"pixmill.{name}" else getattr(home, name)


def __dir__() -> list[str]:
    """List the public names, whether they have been used or not."""
    return [*__all__, "__doc__", "__file__", "__name__", "__path__", "__version__"]
