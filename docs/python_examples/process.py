from pathlib import Path

import pixmill

thumbnail = pixmill.process("photo.jpg", size="300x300", fit="cover", format="webp")
Path("thumbnail.webp").write_bytes(thumbnail)
print(thumbnail.width, thumbnail.height)
