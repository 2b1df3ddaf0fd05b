"""``pixmill status``: what the ledger of an output holds."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import ClassVar, get_args

import msgspec

from pixmill.batch.config.options import Option
from pixmill.batch.inspect.status import Condition, ShardStatus, open_ledgers, status
from pixmill.batch.inspect.status import Status as Held
from pixmill.cli.command import Command
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import CommonOutput, State, run_output_options
from pixmill.cli.options.run import PREVIOUS_DST, argument_value
from pixmill.core.humanize import duration_text, plural
from pixmill.engine.task import Counts

CONDITIONS = get_args(Condition)
LEFT = ("stopped", "killed", "not begun")


class Status(Command):
    """Say how many images of DST are done, failed and pending.

    And how the last run ended. Of a run that was split into shards, all of them together, and which have not finished. Only
    reads, also while a run is going on.
    """

    arguments: ClassVar = (PREVIOUS_DST,)
    examples: ClassVar = ("pixmill status out", "pixmill status out --json")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of a command that asks about an earlier run."""
        return run_output_options()

    def execute(self) -> int:
        """Read the ledger and print what it holds."""
        with open_ledgers(argument_value(self.request, PREVIOUS_DST), self.request.model(State).state) as ledger:
            held = status(ledger)
        if self.request.model(CommonOutput).json:
            self.console.record(_record(held))
        else:
            self._print(held)
        return ExitCode.DONE

    def _print(self, held: Held) -> None:
        counts, last = held.counts, held.last
        self.console.result(f"done     {plural(counts.done, 'image')}")
        self.console.result(f"failed   {plural(counts.failed, 'image')}" + (" (pixmill failures DST)" if counts.failed else ""))
        self.console.result(f"pending  {plural(counts.pending, 'image')}" + (" (the next run does them)" if counts.pending else ""))
        if held.shards:
            for line in _shard_lines(held.shards):
                self.console.result(line)
        elif last is not None:
            began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last.started_at))
            end = (
                f"{last.reason} after {duration_text(last.ended_at - last.started_at)}"
                if last.ended_at
                else "still running, or killed"
            )
            self.console.result(f"last run {last.number} began {began}: {end}")


def _shard_lines(shards: Sequence[ShardStatus]) -> Iterator[str]:
    """Yield how many shards are at what, then each that has stopped, was killed or has not begun."""
    for count, members in groupby(shards, key=lambda each: each.shard.count):
        parts = list(members)
        number = Counter(each.condition for each in parts)
        yield f"shards   {plural(count, 'part')}: " + ", ".join(f"{number[name]} {name}" for name in CONDITIONS if number[name])
        for condition in LEFT:
            left = [str(each.shard) for each in parts if each.condition == condition]
            if left:
                yield f"  {condition}: {', '.join(left)}"


def _record(held: Held) -> dict[str, object]:
    counts, last = held.counts, held.last
    record: dict[str, object] = {**_numbers(counts), "last_run": None}
    if last is not None:
        record["last_run"] = {
            "number": last.number,
            "started_at": last.started_at,
            "ended_at": last.ended_at or None,
            "reason": last.reason or None,
            "counts": {"found": last.counts.found, **msgspec.structs.asdict(last.counts)},
            "config": msgspec.json.decode(last.metadata) if last.metadata else None,
        }
    if held.shards:
        record["shards"] = [
            {"shard": str(each.shard), "condition": each.condition, **_numbers(each.counts)} for each in held.shards
        ]
    return record


def _numbers(counts: Counts) -> dict[str, int]:
    return {"done": counts.done, "failed": counts.failed, "pending": counts.pending}
