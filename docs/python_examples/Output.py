import pixmill

output = pixmill.process("photo.jpg", size="400x", format="png")
print(output.format, output.width, output.height, output.notes)
print(output[:4])  # it is bytes
