"""Only the codecs: the library calls of pixmill's fast path in a loop. The upper limit for the pipeline."""

import io
from pathlib import Path

import simplejpeg
from cykooz_resizer import CropBox, FilterType, ResizeAlg, ResizeOptions, Resizer
from PIL import Image
from work import Order, main

FULL, PLENTY = 8, 6_000_000
LANCZOS = ResizeAlg.convolution(FilterType.lanczos3)


def make(order: Order) -> None:
    """Decode, resize and encode one image, without applying its orientation."""
    data = Path(order.source).read_bytes()
    height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    (box, path), *_ = order.outputs
    scale = min(box[0] / width, box[1] / height, 1)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    room = min(width / size[0], height / size[1])
    least = 1.5 if width * height >= PLENTY else 2
    eighths = next((part for part, spare in ((1, 2), (2, 2), (4, least)) if room * part >= FULL * spare), FULL)
    reduced = (-(-width * eighths // FULL), -(-height * eighths // FULL))
    wanted = {} if eighths == FULL else {"min_width": reduced[0], "min_height": reduced[1]}
    pixels = simplejpeg.decode_jpeg(data, "RGBX", **wanted)
    view = Image.frombuffer("CMYK", reduced, pixels, "raw", "CMYK", 0, 1)
    small = Image.new("CMYK", size)
    crop = CropBox(0, 0, width * eighths / FULL, height * eighths / FULL)
    Resizer().resize_pil(view, small, ResizeOptions(resize_alg=LANCZOS, crop_box=crop))
    file = io.BytesIO()
    Image.frombuffer("RGBX", size, small.tobytes(), "raw", "RGBX", 0, 1).save(file, "JPEG", quality=order.quality, optimize=True)
    Path(path).write_bytes(file.getvalue())


if __name__ == "__main__":
    main(make)
