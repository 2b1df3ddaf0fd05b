from pathlib import Path

from pixmill import engine


def size(payload: bytes) -> bytes:
    """Return the size of the file whose path is the payload. Runs in a worker process."""
    return str(Path(payload.decode()).stat().st_size).encode()


if __name__ == "__main__":
    tasks = (engine.Task.of(path.name.encode(), str(path).encode()) for path in sorted(Path("photos").iterdir()))
    with engine.open_run(tasks, size, workers=2) as run:
        for outcome in run:
            if isinstance(outcome, engine.Done):
                print(outcome.task.key.decode(), outcome.result.decode())
