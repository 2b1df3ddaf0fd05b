"""Configure libvips and malloc in a worker, once before its first image."""

import ctypes
import os
import platform

import pyvips

# From malloc.h of the GNU C library, whose dynamic thresholds never rise above 32 MB.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
MALLOC_KEEP_BYTES = 512 << 20


def tune_malloc() -> None:
    """Make malloc keep up to 512 MiB of freed memory, in a single arena. Has an effect only with the GNU C library.

    A decoded photograph takes tens of megabytes. Allocating them from the kernel again for each image, page by page and zeroed,
    took a quarter of the processing time on a busy machine. A worker therefore keeps as much memory as its largest image needed.
    Each thread of libvips would add its own arena and keep as much again: docs/decisions/0008 has the figures.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(M_ARENA_MAX, 1)
        library.mallopt(M_MMAP_THRESHOLD, MALLOC_KEEP_BYTES)
        library.mallopt(M_TRIM_THRESHOLD, MALLOC_KEEP_BYTES)


def configure_vips() -> None:
    """Configure libvips for a worker: one thread, no operation cache, and no untrusted loaders.

    Each worker is a process that handles one image at a time: threads inside it would only compete for the processors, and a
    cache would only keep pixels that are never used again.
    """
    pyvips.concurrency_set(1)
    os.environ["RAYON_NUM_THREADS"] = "1"  # of oxipng
    pyvips.cache_set_max(0)
    pyvips.block_untrusted_set(True)  # noqa: FBT003  # the library's own signature
