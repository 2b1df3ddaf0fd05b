import pixmill


def mirrored(image: pixmill.Image) -> pixmill.Image:
    return pixmill.Image.from_numpy(image.to_numpy()[:, ::-1])


print(pixmill.process("photo.jpg", pixmill.Recipe(steps=[mirrored])).width)
