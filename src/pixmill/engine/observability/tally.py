"""Counts outcomes: what the metrics, the progress display and others show comes from the same counting."""

from collections import Counter, defaultdict

from pixmill.engine.task import UNCHANGED, Done, Outcome, Skipped

MAX_REASONS, OTHER_REASONS = 50, "other reasons"  # that are counted each, since a handler may give each task another one


class Tally:
    """The outcomes of a run so far.

    ``counts`` has the numbers of ``done``, ``skipped``, ``failed``, and ``remembered`` failures, which are among the failed.
    ``measures`` are the sums of the handler's counts by name, ``left_alone`` the reasons of tasks that were skipped for another
    reason than being unchanged.
    """

    def __init__(self) -> None:
        """Start at zero."""
        self.counts: Counter[str] = Counter()
        self.measures: defaultdict[str, int] = defaultdict(int)
        self.left_alone: Counter[str] = Counter()

    def add(self, outcome: Outcome) -> None:
        """Count ``outcome``."""
        if isinstance(outcome, Done):
            self.counts["done"] += 1
            for measure, amount in outcome.measures.items():
                self.measures[measure] += amount
        elif isinstance(outcome, Skipped):
            self.counts["skipped"] += 1
            if outcome.reason != UNCHANGED:
                is_counted = outcome.reason in self.left_alone or len(self.left_alone) < MAX_REASONS
                self.left_alone[outcome.reason if is_counted else OTHER_REASONS] += 1
        else:
            self.counts["failed"] += 1
            self.counts["remembered"] += outcome.remembered

    def add_unchanged(self, number: int) -> None:
        """Count as many unchanged tasks."""
        self.counts["skipped"] += number

    @property
    def attempted(self) -> int:
        """Return the number of tasks that were done or failed in this run."""
        return self.counts["done"] + self.counts["failed"] - self.counts["remembered"]
