from typing import Unpack

import pixmill


def thumbnail(photo: str, **options: Unpack[pixmill.ImageOptions]) -> bytes:
    return pixmill.process(photo, **options)


print(len(thumbnail("photo.jpg", size="200x200", format="webp", quality=70)))
