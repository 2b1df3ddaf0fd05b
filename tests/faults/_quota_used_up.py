"""Use up the quota of the btrfs volume that is named, then show what is at work in an output there, and find it again."""

import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

from pixmill.batch.state.status_file import begun_tasks, open_status_file
from pixmill.engine.ledger import RunRecord
from pixmill.engine.task import Attempt, Task

volume = Path(sys.argv[1])
state = volume / ".pixmill"
state.mkdir()
with ExitStack() as stack:
    status = open_status_file(state, stack)
    place = status.open_place()
    status.begin_run(1, 1.0)
    os.sync()
    subprocess.run(["btrfs", "qgroup", "limit", "400K", volume], check=True, capture_output=True)
    with suppress(OSError), (volume / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
            os.fsync(file.fileno())
    for number in range(1, 50):
        status.set_active(float(number))
        place.begin(number, Attempt(Task.of("a")), float(number))
        os.sync()
        place.end(number, has_failed=True)
    place.begin(50, Attempt(Task.of("a")), 50.0)
    assert [begun.id for begun in begun_tasks(state, [RunRecord(number=1, started_at=1.0)])] == [Task.of("a").id]
    status.end_run()
    assert begun_tasks(state, [RunRecord(number=1, started_at=1.0)]) == ()
