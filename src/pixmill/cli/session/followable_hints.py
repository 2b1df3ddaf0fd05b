"""Hints in logs and event streams that name the output of the run, so that their commands can be typed as they are."""

import shlex

from msgspec.structs import replace

from pixmill.batch.config.hints import arguments_of, with_arguments
from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.target_file import target_file
from pixmill.core.events import Event, Observer
from pixmill.core.text import printable
from pixmill.engine.events import TaskFinished
from pixmill.engine.task import Failed


class FollowableHints(Observer):
    """Passes events on to ``observer``, with the destination of ``config`` in place of the DST of each hint."""

    def __init__(self, observer: Observer, config: RunConfig) -> None:
        """Compose the arguments, and the command that repeats a run which has no state to retry from."""
        self._observer = observer
        self._arguments = arguments_of(config)
        is_file = len(config.sources) == 1 and target_file(config.destination) is not None
        words = [*map(printable, config.sources), printable(config.destination)]
        self._retry = f"pixmill run {shlex.join(words)}" if is_file else ""

    def on_event(self, event: Event) -> None:
        """Pass ``event`` on."""
        if isinstance(event, TaskFinished) and isinstance(event.outcome, Failed) and event.outcome.failure.hint:
            failure = event.outcome.failure
            hint = with_arguments(failure.hint, self._arguments, retry=self._retry)
            event = replace(event, outcome=replace(event.outcome, failure=replace(failure, hint=hint)))
        self._observer.on_event(event)

    def close(self) -> None:
        """Close the observer."""
        self._observer.close()
