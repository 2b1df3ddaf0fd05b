"""One image, processed in the calling process: ``process`` for one output, ``process_all`` for several."""

from typing import Any, Self, Unpack

from pixmill.api.errors import with_keywords
from pixmill.api.image_keywords import ImageOptions
from pixmill.api.images import ImageLike, image_input
from pixmill.api.runs import RecipeLike, recipe_layer
from pixmill.batch.config.options import resolve_recipe
from pixmill.core.errors import ConfigError
from pixmill.imaging.process import EncodedOutput
from pixmill.imaging.process import process as process_image
from pixmill.imaging.recipe import Recipe


class Output(bytes):
    """The content of an output file, as ``bytes`` with a description.

    ``format`` is the name of the format, ``width`` and ``height`` are in pixels (of one frame), ``rendition`` is the name of the
    rendition. ``notes`` are codes for content of the source that was dropped or ignored, such as ``frames-dropped``.
    ``columns`` are what steps have found, such as a caption.
    """

    format: str
    width: int
    height: int
    rendition: str
    notes: tuple[str, ...]
    columns: dict[str, Any]

    @classmethod
    def of(cls, output: EncodedOutput, notes: tuple[str, ...]) -> Self:
        """Return ``output`` with the ``notes`` of its image."""
        content = cls(output.data)
        content.format, content.width, content.height = output.format, output.width, output.height
        content.rendition, content.notes, content.columns = output.rendition, notes, dict(output.columns)
        return content

    def __repr__(self) -> str:
        """Return a description instead of the content."""
        rendition = f" {self.rendition!r}" if self.rendition else ""
        return f"<Output{rendition}: {self.format}, {self.width}x{self.height}, {len(self):,} bytes>"

    __str__ = __repr__  # that of bytes would print them


def process(image: ImageLike, recipe: RecipeLike | None = None, **options: Unpack[ImageOptions]) -> Output:
    """Return the output file of one image: ``bytes`` that also know their ``format``, ``width`` and ``height``.

    ``image``: the content of a file (``bytes``), a path (``str``, ``os.PathLike``), a file opened in binary mode, a Pillow image,
    or an array of ``uint8`` or ``uint16`` with the shape height x width, or height x width x channels. Orientation, colour profile
    and metadata of a Pillow image are used like those of a file. ``recipe`` and ``options`` are those of ``run`` that concern
    images: ``size="800x600"``, ``format="webp"``; see ``help(pixmill.ImageOptions)``.

    Raises ``ImageError`` where a run would record a failure, ``ConfigError`` for a wrong argument or a recipe with several outputs.
    Hostile input can crash the process: a run is protected against that, this call is not.
    """
    with with_keywords():
        resolved = resolve_recipe(options, recipe_layer(recipe))
        if len(resolved.renditions) > 1:
            message = f"the recipe makes {len(resolved.renditions)} outputs of an image, and process returns one"
            raise ConfigError(message, hint="use pixmill.process_all, which returns all of them")
        return _process(image, resolved)[0]


def process_all(image: ImageLike, recipe: RecipeLike | None = None, **options: Unpack[ImageOptions]) -> tuple[Output, ...]:
    """Return all output files of one image, in the order of the recipe, from one decode. The parameters are as in ``process``."""
    with with_keywords():
        return _process(image, resolve_recipe(options, recipe_layer(recipe)))


def _process(image: ImageLike, recipe: Recipe) -> tuple[Output, ...]:
    result = process_image(image_input(image), recipe)
    return tuple(Output.of(output, result.notes) for output in result.outputs)
