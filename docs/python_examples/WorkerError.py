import pixmill

# A worker that crashes, hangs or runs out of memory costs one image; its code is that of a WorkerError.
if __name__ == "__main__":
    with pixmill.open_run("photos", "web", timeout="30s") as run:
        for image in run.results():
            if image.code in ("crash", "timeout", "out-of-memory"):
                print(image.source, image.message)
    print(pixmill.WorkerError.code)
