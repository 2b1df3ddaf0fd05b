"""OpenCV in a process pool: reduced decoding, then area averaging, which is OpenCV's resize without aliasing."""

from pathlib import Path

import cv2
from work import Order, main

REDUCED = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
SPARE = 2
HEAD = 1 << 20  # bytes
FRAMES = range(0xC0, 0xC4)


def make(order: Order) -> None:
    """Decode once, resize and write each output."""
    cv2.setNumThreads(1)
    largest = max(order.outputs)[0]
    picture = cv2.imread(order.source, _flag(order, largest))
    for box, path in order.outputs:
        height, width = picture.shape[:2]
        scale = min(box[0] / width, box[1] / height, 1)
        small = cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
        cv2.imwrite(path, small, _options(order))


def _flag(order: Order, largest: tuple[int, int]) -> int:
    """Return the flag for reading: with the alpha channel for PNG, otherwise at the smallest size with pixels to spare."""
    if order.source.endswith(".png"):
        return cv2.IMREAD_UNCHANGED
    size = _size(order.source)
    shrink = min(size[0] / largest[0], size[1] / largest[1]) / SPARE
    return next((REDUCED[factor] for factor in (8, 4, 2) if factor <= shrink), cv2.IMREAD_COLOR)


def _size(path: str) -> tuple[int, int]:
    """Return the longer and shorter side from the frame header of a JPEG, which OpenCV does not expose."""
    with Path(path).open("rb") as file:
        data = file.read(HEAD)
    place = 2
    while data[place + 1] not in FRAMES:
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    height, width = int.from_bytes(data[place + 5 : place + 7]), int.from_bytes(data[place + 7 : place + 9])
    return max(width, height), max(1, min(width, height))


def _options(order: Order) -> list[int]:
    return {
        "jpeg": [cv2.IMWRITE_JPEG_QUALITY, order.quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, order.quality],
        "png": [cv2.IMWRITE_PNG_COMPRESSION, 6],
    }[order.format]


if __name__ == "__main__":
    main(make)
