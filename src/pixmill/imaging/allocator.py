"""Keep the memory of one picture for the next."""

import ctypes
import platform

# From malloc.h of the GNU C library; its own limits adapt to what is freed, but never above 32 MB.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 512 << 20


def keep_freed_memory() -> None:
    """Have malloc keep what is freed, up to 512 MiB, instead of giving it back to the kernel. Only the GNU C library does so.

    A decoded photograph is tens of megabytes; asking the kernel for them anew, page by page and zeroed, took a quarter of the
    time of a picture on a busy machine. What a worker holds stays what its largest picture took.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_THRESHOLD, KEPT)
        library.mallopt(M_TRIM_THRESHOLD, KEPT)
