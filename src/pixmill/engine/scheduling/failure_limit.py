"""Decide from the outcomes of a run whether it should stop, because too many of its tasks fail."""

from collections import Counter

from pixmill.core.errors import RunError
from pixmill.core.units import CountOrPercent
from pixmill.engine.task import Failed, Failure, Outcome

FIRST = 100  # tasks: without a limit, a run stops if this many all fail in the same way; for a percentage, the smallest base


class FailureLimit:
    """Counts the outcomes of one run. Failures that an earlier run recorded do not count, nor does an attempt that is retried.

    With a ``limit``, ``error`` is set once more tasks have failed: more than that number, or than that percentage of those
    finished. Of fewer than ``FIRST`` tasks the percentage is not meaningful, so it is taken of ``FIRST``, or of all tasks if there
    are fewer. Without a limit, it is set if the first ``FIRST`` tasks to finish have all failed with the same code.
    """

    def __init__(self, limit: CountOrPercent | None) -> None:
        """Start counting."""
        self._limit = limit
        self._finished = 0
        self._not_tried = 0
        self._is_uniform = False
        self._failed: Counter[str] = Counter()
        self._examples: dict[str, Failure] = {}

    def add_unchanged(self, number: int) -> None:
        """Count as many unchanged tasks."""
        self._not_tried += number

    def add(self, outcome: Outcome) -> None:
        """Count ``outcome``."""
        if _is_known(outcome):
            self._not_tried += 1
            return
        self._finished += 1
        if isinstance(outcome, Failed):
            self._failed[outcome.failure.code] += 1
            self._examples.setdefault(outcome.failure.code, outcome.failure)
        if self._finished == FIRST:
            self._is_uniform = list(self._failed.values()) == [FIRST]

    def error(self, found: int | None) -> RunError | None:
        """Return why the run should stop, or ``None``. ``found`` is the number of all tasks, ``None`` while it is unknown."""
        if not self._failed:
            return None
        if self._limit is not None:
            return self._exceeded(self._limit, found)
        return self._uniform_failure() if self._is_uniform else None

    def _uniform_failure(self) -> RunError:
        code, example = next(iter(self._examples.items()))
        message = f"the first {FIRST} images all failed with the code {code}: {example.message}"
        return RunError(message, code="same-failure", hint=_hint(example))

    def _exceeded(self, limit: CountOrPercent, found: int | None) -> RunError | None:
        failed = self._failed.total()
        base = FIRST if found is None else min(FIRST, found - self._not_tried)
        if failed <= limit.of(max(self._finished, base)):
            return None
        code, count = self._failed.most_common(1)[0]
        example = self._examples[code]
        return RunError(
            f"{failed:,} of {self._finished:,} images failed, more than --max-failures {limit} allows; "
            f"{'all' if count == failed else f'{count:,}'} of them with the code {code}: {example.message}",
            code="too-many-failures",
            hint=_hint(example),
        )


def _is_known(outcome: Outcome) -> bool:
    """Tell whether ``outcome`` is that of an earlier run."""
    return isinstance(outcome, Failed) and outcome.remembered


def _hint(example: Failure) -> str:
    cause = f"{example.hint}; " if example.hint else ""
    remedy = "once the cause is removed, pixmill retry DST processes these images and the rest"
    return f"{cause}{remedy}; --max-failures 100% continues whatever fails"
