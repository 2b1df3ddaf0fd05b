"""libvips from Python: ``thumbnail`` in a process pool, with one thread per process."""

import pyvips
from work import Order, main

OPTIONS = {
    "jpeg": {"optimize_coding": True}, "webp": {"effort": 4}, "png": {"compression": 6}, "avif": {"effort": 4},
}  # fmt: skip


def make(order: Order) -> None:
    """Make each output from the file: shrink on load is cheaper than keeping the largest output in memory."""
    pyvips.concurrency_set(1)
    pyvips.cache_set_max(0)
    for (width, height), path in order.outputs:
        small = pyvips.Image.thumbnail(order.source, width, height=height, size="down")
        quality = {"Q": order.quality} if order.quality else {}
        small.write_to_file(path, keep="none", **quality, **OPTIONS[order.format])


if __name__ == "__main__":
    main(make)
