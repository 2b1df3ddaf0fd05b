import pixmill

recipe = pixmill.Recipe(
    renditions=[
        pixmill.Rendition(name="large", steps=["resize:width=600"], encode="jpeg"),
        pixmill.Rendition(name="small", steps=["resize:width=200"], encode="webp"),
    ]
)
for output in pixmill.process_all("photo.jpg", recipe):
    print(output.rendition, output.format, output.width)
