"""What is left of a task that has been computed: the steps that make its result durable, and the answer that follows them."""

import time
from typing import TypeVar

import msgspec

from pixmill.core.steps import Steps
from pixmill.engine.ipc.messages import Answer
from pixmill.engine.worker.invoke import StageClock, advance

Number = TypeVar("Number", int, float)


class Tail:
    """A task from the end of its computing to its answer. Between its steps, others take theirs.

    ``answer`` is what there is of it so far; whole, once ``advance`` has said that there is no step left. ``began`` is
    monotonic, and moves on while others take steps: what passes since then is time of the task's own.
    """

    def __init__(self, answer: Answer, steps: Steps, *, size: int) -> None:
        """Go on where ``answer`` ends. ``size``: the bytes that are held until the last of ``steps``."""
        self.answer = answer
        self.size = size
        self.resume()
        self._steps = steps
        self._stage = ""

    def resume(self) -> None:
        """Let the task's own time go on."""
        self.began = time.monotonic() - self.answer.seconds

    def advance(self, stages: StageClock) -> bool:
        """Take the next step, in the stage in which the last one ended; return whether there are more."""
        if self._stage:
            stages.enter(self._stage)
        goes_on, failure = advance(self._steps, stages)
        self._stage = stages.stage
        timings, measures = stages.finish()
        self.answer = msgspec.structs.replace(
            self.answer,
            result=b"" if failure else self.answer.result,
            failure=failure,
            seconds=time.monotonic() - self.began,
            timings=_sums(self.answer.timings, timings),
            measures=_sums(self.answer.measures, measures),
        )
        return goes_on


def _sums(one: dict[str, Number], other: dict[str, Number]) -> dict[str, Number]:
    return one | {name: one.get(name, 0) + amount for name, amount in other.items()}
