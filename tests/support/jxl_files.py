"""JPEG XL in CMYK, written by libjxl itself, since no program here writes it."""

import ctypes
import ctypes.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Array = np.ndarray[Any, np.dtype[Any]]

# jxl/codestream_header.h and encode.h of libjxl: places of fields in JxlBasicInfo, and values.
WIDTH, HEIGHT, USES_ORIGINAL_PROFILE, EXTRA_CHANNELS = 4, 8, 36, 56
INFO_BYTES = 1024  # more than each of its structures
BLACK, BYTES_KIND, NEED_MORE_OUTPUT = 4, 2, 2


class _PixelFormat(ctypes.Structure):
    _fields_ = (("channels", ctypes.c_uint32), ("kind", ctypes.c_int), ("order", ctypes.c_int), ("align", ctypes.c_size_t))


def cmyk(samples: Array, profile: bytes) -> bytes:
    """Return ``samples`` (height, width, 4; 0 is full ink) as JPEG XL with a channel of black; skips the test without libjxl."""
    name = ctypes.util.find_library("jxl")
    if name is None:
        pytest.skip("libjxl is not installed")
    library = ctypes.CDLL(name)
    library.JxlEncoderCreate.restype = library.JxlEncoderFrameSettingsCreate.restype = ctypes.c_void_p

    def call(function: Callable[..., int], *arguments: object) -> None:
        assert function(*arguments) == 0, function

    encoder = ctypes.c_void_p(library.JxlEncoderCreate(None))
    info, black = ctypes.create_string_buffer(INFO_BYTES), ctypes.create_string_buffer(INFO_BYTES)
    library.JxlEncoderInitBasicInfo(info)
    height, width = samples.shape[:2]
    for place, value in ((WIDTH, width), (HEIGHT, height), (USES_ORIGINAL_PROFILE, 1), (EXTRA_CHANNELS, 1)):
        ctypes.c_uint32.from_buffer(info, place).value = value
    call(library.JxlEncoderSetBasicInfo, encoder, info)
    library.JxlEncoderInitExtraChannelInfo(BLACK, black)
    call(library.JxlEncoderSetExtraChannelInfo, encoder, ctypes.c_size_t(0), black)
    call(library.JxlEncoderSetICCProfile, encoder, profile, ctypes.c_size_t(len(profile)))
    settings = ctypes.c_void_p(library.JxlEncoderFrameSettingsCreate(encoder, None))
    call(library.JxlEncoderSetFrameLossless, settings, 1)
    inks, key = samples[..., :3].tobytes(), samples[..., 3].tobytes()
    call(
        library.JxlEncoderAddImageFrame, settings, ctypes.byref(_PixelFormat(3, BYTES_KIND, 0, 0)), inks, ctypes.c_size_t(len(inks))
    )
    plane = _PixelFormat(1, BYTES_KIND, 0, 0)
    call(library.JxlEncoderSetExtraChannelBuffer, settings, ctypes.byref(plane), key, ctypes.c_size_t(len(key)), 0)
    library.JxlEncoderCloseInput(encoder)
    output = ctypes.create_string_buffer(samples.nbytes + len(profile) + 100_000)
    following, left = ctypes.cast(output, ctypes.c_void_p), ctypes.c_size_t(len(output))
    call(library.JxlEncoderProcessOutput, encoder, ctypes.byref(following), ctypes.byref(left))
    library.JxlEncoderDestroy(encoder)
    return output.raw[: len(output) - left.value]
