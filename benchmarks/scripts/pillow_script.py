"""A typical script: Pillow, one image at a time, or in a ``ProcessPoolExecutor``."""

from PIL import Image, ImageOps
from work import Order, main

Image.MAX_IMAGE_PIXELS = None
GAP = 2  # the default of ``thumbnail``; with less, its outputs differ more from the source than those of all other peers
OPTIONS = {"jpeg": {"optimize": True}, "webp": {"method": 4}, "png": {"compress_level": 6}, "avif": {"speed": 6}}


def make(order: Order) -> None:
    """Decode once, at the scale of the largest output; resize and write each."""
    with Image.open(order.source) as picture:
        largest = max(order.outputs)[0]
        picture.draft(None, (GAP * largest[0], GAP * largest[1]))
        ImageOps.exif_transpose(picture, in_place=True)
        for box, path in order.outputs:
            small = picture.copy() if len(order.outputs) > 1 else picture
            small.thumbnail(box, Image.Resampling.LANCZOS)
            options = {**OPTIONS[order.format], **({"quality": order.quality} if order.quality else {})}
            small.save(path, order.format, **options)


if __name__ == "__main__":
    main(make)
