import pixmill

recipe = pixmill.Recipe(
    steps=["resize:width=600", "sharpen"],
    renditions=[pixmill.Rendition(encode="webp:quality=75")],
    metadata="strip",
)
print(len(pixmill.process("photo.jpg", recipe)))
