import pixmill

for output in pixmill.process_all("photo.jpg", sizes=[320, 640], formats=["webp", "jpeg"]):
    print(output.rendition, output.format, output.width, len(output))
