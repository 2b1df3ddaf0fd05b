import pixmill


def only_landscapes(image: pixmill.Image) -> pixmill.Image:
    if image.height > image.width:
        raise pixmill.Skip("portrait")
    return image


if __name__ == "__main__":
    report = pixmill.run("photos", "web", pixmill.Recipe(steps=[only_landscapes, "resize:width=400"]))
    print(report.counts.done, "done,", report.counts.skipped, "rejected")
