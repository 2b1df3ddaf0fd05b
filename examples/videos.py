"""Makes small H.264 copies of the videos in a folder with pixmill's engine and PyAV: resumable, one outcome for each.

    pip install av
    python examples/videos.py FOLDER OUTPUT

Kill it and run it again: finished videos stay, one that was begun is made again. Exits with 1 if a video could not be read.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import av

from pixmill.engine import Failed, Policy, Task, open_run
from pixmill.engine.ledgers.sqlite import SqliteLedger

WIDTH = 640
EXTENSIONS = {".mp4", ".mov", ".mkv", ".avi", ".webm"}


def transcode(payload: bytes) -> bytes:
    """Transcode the video that the payload names; return the number of frames. Runs in a worker process."""
    source, target = (Path(os.fsdecode(path)) for path in payload.split(b"\0"))
    partial = target.with_name(f".{target.name}.partial")
    with av.open(str(source)) as reader, av.open(str(partial), "w", format="mp4") as writer:
        video = reader.streams.video[0]
        width = min(WIDTH, video.width) // 2 * 2
        stream = writer.add_stream("libx264", rate=video.average_rate, options={"crf": "28", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, video.height * width // video.width // 2 * 2, "yuv420p"
        count = 0
        for frame in reader.decode(video):
            writer.mux(stream.encode(frame.reformat(stream.width, stream.height, "yuv420p")))
            count += 1
        writer.mux(stream.encode(None))
    with partial.open("rb") as file:
        os.fsync(file.fileno())  # complete on disk before it has its name
    partial.rename(target)
    return b"%d" % count


def tasks(folder: Path, output: Path) -> Iterator[Task]:
    """Yield a task for each video; a file that was changed has another version and is transcoded again."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in EXTENSIONS:
            target = output / path.relative_to(folder).with_name(f"{path.name}.mp4")
            target.parent.mkdir(parents=True, exist_ok=True)
            status = path.stat()
            payload = os.fsencode(path) + b"\0" + os.fsencode(target)
            yield Task.of(os.fsencode(path), payload, version=f"{status.st_size} {status.st_mtime_ns} {WIDTH}".encode())


def main(folder: str, output: str) -> int:
    """Print a line for each failure, and the totals; return the exit code."""
    Path(output).mkdir(parents=True, exist_ok=True)
    policy = Policy.from_builtins({"timeout": "1h", "attempts": 2})
    with (
        closing(SqliteLedger(Path(output) / ".ledger.sqlite")) as ledger,
        open_run(tasks(Path(folder), Path(output)), transcode, ledger=ledger, policy=policy) as run,
    ):
        for outcome in run:
            if isinstance(outcome, Failed):
                print(f"{os.fsdecode(outcome.task.key)}: {outcome.failure.message}", file=sys.stderr)
    print(f"{run.counts.done} done, {run.counts.skipped} unchanged, {run.counts.failed} failed", file=sys.stderr)
    return 1 if run.counts.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
