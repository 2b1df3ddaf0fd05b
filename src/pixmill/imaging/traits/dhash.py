"""dHash: 64 bits that are nearly the same for pictures that look the same, to find duplicates by the number of bits that differ.

Source: N. Krawetz, "Kind of Like That", hackerfactor.com, 2013: the picture in gray, 9 by 8 pixels; each bit tells whether a pixel
is lighter than the one to its left. The bits are in the order of the ``imagehash`` package.
"""

import numpy as np
from PIL import Image as Pillow

from pixmill.imaging.traits.small_picture import SmallPicture

SIZE = (9, 8)


def dhash(picture: SmallPicture) -> str:
    """Return the hash of ``picture``, on white where it is transparent, as 16 hexadecimal digits."""
    gray = picture.on_white().convert("L").resize(SIZE, Pillow.Resampling.LANCZOS)
    values = np.asarray(gray)
    return np.packbits(values[:, 1:] > values[:, :-1]).tobytes().hex()
