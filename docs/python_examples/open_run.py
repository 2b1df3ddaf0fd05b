import pixmill

if __name__ == "__main__":
    with pixmill.open_run("photos", "web", size="800x600") as run:
        for image in run.results():
            print(image.source, image.state)
