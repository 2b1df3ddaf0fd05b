"""Small pictures that tests write where a command looks for images, and the size of those that come out."""

from pathlib import Path

from PIL import Image


def write_picture(path: Path, *, size: tuple[int, int] = (64, 48), shade: int = 120) -> None:
    """Write a picture of one colour to ``path``, in the format of its extension; ``shade`` is its red."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, 90, 60)).save(path)


def size_of(path: Path) -> tuple[int, int]:
    """Return the width and height of a picture."""
    with Image.open(path) as image:
        return image.size
