from pathlib import Path

import pixmill

try:
    pixmill.process(Path("photo.jpg").read_bytes()[:500])
except pixmill.ImageError as error:
    print(error.code, error.message)
