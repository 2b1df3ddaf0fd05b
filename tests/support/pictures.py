"""Small pictures that tests write where a command looks for images."""

from pathlib import Path

from PIL import Image


def write_picture(path: Path, *, size: tuple[int, int] = (64, 48), shade: int = 120) -> None:
    """Write a picture of one colour to ``path``, in the format of its extension; ``shade`` is its red."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, 90, 60)).save(path)
