"""How a worker sets up libvips and malloc, once before its first image."""

import ctypes
import platform

import pyvips

# From malloc.h of the GNU C library; its own limits adapt to what is freed, but never above 32 MB.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
KEPT = 512 << 20


def tune_malloc() -> None:
    """Have malloc keep what is freed, up to 512 MiB, in one arena. Does something with the GNU C library only.

    A decoded photograph is tens of megabytes; asking the kernel for them anew, page by page and zeroed, took a quarter of the
    time of a picture on a busy machine. What a worker holds stays what its largest picture took. libvips' threads would each
    bring an arena of their own and hold as much again: docs/decisions/0008 has the figures.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(M_ARENA_MAX, 1)
        library.mallopt(M_MMAP_THRESHOLD, KEPT)
        library.mallopt(M_TRIM_THRESHOLD, KEPT)


def configure_vips() -> None:
    """Set libvips up for a worker: one thread, no cache of operations, no loader that runs what a file tells it to.

    Workers are processes, one image at a time each: threads inside would only contend, and a cache would only hold pixels
    that never come again.
    """
    pyvips.concurrency_set(1)
    pyvips.cache_set_max(0)
    pyvips.block_untrusted_set(True)  # noqa: FBT003  # the library's own signature
