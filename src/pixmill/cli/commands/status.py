"""``pixmill status``: summarises the ledger of an output folder."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Annotated, ClassVar, get_args

import msgspec
from msgspec import Meta

from pixmill.batch.config.hints import command_arguments
from pixmill.batch.config.options import Option
from pixmill.batch.inspect.status import Condition, ShardStatus, open_ledgers, status
from pixmill.batch.inspect.status import Status as LedgerStatus
from pixmill.batch.report.data.run_info import left_alone, rejected, unconfined
from pixmill.batch.state.combined_ledger import LedgerSummary
from pixmill.batch.state.outputs import OUTPUT_CHANGED
from pixmill.batch.state.status_file import seconds_held
from pixmill.batch.worker.confinement import confinement_remark
from pixmill.cli.command import Command, declared
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import SHOW, CommonOutput, State, run_output_options
from pixmill.cli.options.run import PREVIOUS_DST, argument_value
from pixmill.core.errors import ConfigError
from pixmill.core.humanize import duration_text, plural
from pixmill.core.model import Model
from pixmill.core.text import has_secret, printable, redacted
from pixmill.engine.task import Counts

EXAMPLES = 3
CONDITIONS = get_args(Condition)
INCOMPLETE = ("stopped", "killed", "not begun")


class StatusOutput(Model, frozen=True, kw_only=True):
    """What the command prints."""

    metrics: Annotated[bool, Meta(description="print the totals and the condition of each shard in Prometheus format")] = False


class Status(Command):
    """Show how many images of DST are done, failed and pending.

    Also shows how the last run ended. For a run split into shards, shows the totals over all shards, and the shards that have
    not finished. Only reads the ledger, so it is safe during a run. ``--metrics`` prints the sums and the condition of each shard
    for Prometheus.
    """

    arguments: ClassVar = (PREVIOUS_DST,)
    examples: ClassVar = ("pixmill status out", "pixmill status out --json", "pixmill status out --metrics")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of a command about an earlier run, and its own."""
        return {**run_output_options(), **declared(SHOW, StatusOutput)}

    def execute(self) -> int:
        """Print the summary of the ledger."""
        self.console.waits.begin(lambda: "reading the ledger")
        if self.request.model(StatusOutput).metrics:
            return self._print_metrics()
        with open_ledgers(argument_value(self.request, PREVIOUS_DST), self.request.model(State).state) as ledger:
            summary = status(ledger)
            running = [each for each in ledger.ledger_files if each.is_running()]
            is_running = bool(running)
            held = max((seconds_held(each.folder) for each in running), default=0.0)
            summaries = list(ledger.summaries())
            changed, names = _changed_outputs(summaries)
            reasons = _rejected(summaries)
            allowed = unconfined(each.file.folder for each in summaries)
        if self.request.model(CommonOutput).json:
            record = {**_record(summary), "output_changed": changed, "unconfined": allowed, "running": is_running}
            record["rejected"] = dict(reasons)
            record["waiting_for_store"] = round(held, 1)
            self.console.record(record)
            return ExitCode.DONE
        self._print(summary, is_running=is_running)
        if reasons:
            listed = ", ".join(f"{reason} ({count:,})" for reason, count in reasons.most_common())
            images = plural(reasons.total(), "image")
            self.console.result(f"rejected {images} of those done (see pixmill rejected {self._arguments()}): {listed}")
        if summary.other_recipe:
            self.console.result(
                f"outdated {plural(summary.other_recipe, 'image')} of those done, with outputs of an earlier recipe, which the "
                "last run has not reached"
            )
        if not (summary.is_whole or is_running):
            self.console.result(
                "note     the last run was interrupted: images that it did not reach, if any, are not counted, or are counted as "
                "an earlier run left them"
            )
        if held:
            self.console.result(f"waiting  for the store, for {duration_text(held)}")
        for sentence in confinement_remark(allowed):
            self.console.result(f"note     {sentence}")
        if changed:
            more = ", ..." if changed > len(names) else ""
            have = "has an output that was" if changed == 1 else "have outputs that were"
            examples = f"{', '.join(map(printable, names))}{more}"
            self.console.result(
                f"{plural(changed, 'image')} {have} changed before the last run (pixmill verify {self._arguments()}): {examples}"
            )
        return ExitCode.DONE

    def _print_metrics(self) -> int:
        """Print the status in Prometheus' text format."""
        from pixmill.batch.inspect.status_metrics import status_metrics  # noqa: PLC0415  # prometheus-client is slow to import

        if self.request.model(CommonOutput).json:
            raise ConfigError("--metrics prints no JSON", hint="leave out --json or --metrics")
        with open_ledgers(argument_value(self.request, PREVIOUS_DST), self.request.model(State).state) as ledger:
            self.console.result(status_metrics(ledger).removesuffix("\n"))
        return ExitCode.DONE

    def _arguments(self) -> str:
        """Return the arguments that name the output to another command."""
        return command_arguments(argument_value(self.request, PREVIOUS_DST), self.request.model(State).state)

    def _print(self, summary: LedgerStatus, *, is_running: bool) -> None:
        counts, last = summary.counts, summary.last
        failed_hint = f" (see pixmill failures {self._arguments()})" if counts.failed else ""
        left = "found so far, and to be done by the run that is working now" if is_running else "left for the next run"
        pending_hint = f" ({left})" if counts.pending else ""
        self.console.result(f"done     {plural(counts.done, 'image')}")
        self.console.result(f"failed   {plural(counts.failed, 'image')}{failed_hint}")
        self.console.result(f"pending  {plural(counts.pending, 'image')}{pending_hint}")
        for versions, count in summary.older.items():
            self.console.result(f"older    {plural(count, 'image')} made with {versions}")
        if summary.shards:
            for line in _shard_lines(summary.shards):
                self.console.result(line)
        elif last is not None:
            started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last.started_at))
            end = (
                f"{last.reason} after {duration_text(last.ended_at - last.started_at)}"
                if last.ended_at
                else "running now"
                if is_running
                else "killed"
            )
            self.console.result(f"last run {last.number} started {started}: {end}")


def _rejected(ledgers: Iterable[LedgerSummary]) -> Counter[str]:
    """Return how many images the last run of each ledger found to be rejected, by reason."""
    counts: Counter[str] = Counter()
    for each in ledgers:
        if each.runs:
            counts.update(rejected(each.file.folder, each.runs[-1].number))
    return counts


def _changed_outputs(ledgers: Iterable[LedgerSummary]) -> tuple[int, tuple[bytes, ...]]:
    """Return how many images the last run of each ledger skipped because of a changed output, and the first few of them."""
    found = [left_alone(each.file.folder, each.runs[-1].number, OUTPUT_CHANGED) for each in ledgers if each.runs]
    return sum(count for count, _ in found), tuple(name for _, names in found for name in names)[:EXAMPLES]


def _shard_lines(shards: Sequence[ShardStatus]) -> Iterator[str]:
    """Yield the number of shards in each condition, then the shards that stopped, were killed or have not begun."""
    for count, members in groupby(shards, key=lambda each: each.shard.count):
        group = list(members)
        number = Counter(each.condition for each in group)
        yield f"shards   {plural(count, 'part')}: " + ", ".join(f"{number[name]} {name}" for name in CONDITIONS if number[name])
        for condition in INCOMPLETE:
            names = [str(each.shard) for each in group if each.condition == condition]
            if names:
                yield f"  {condition}: {', '.join(names)}"
        if others := [str(each.shard) for each in group if each.other_recipe]:
            yield f"  of another recipe than the last run, so run them again: {', '.join(others)}"


def _record(summary: LedgerStatus) -> dict[str, object]:
    counts, last = summary.counts, summary.last
    record: dict[str, object] = {**_numbers(counts), "complete": summary.is_whole, "outdated": summary.other_recipe}
    record |= {"older": summary.older, "last_run": None}
    if last is not None:
        record["last_run"] = {
            "number": last.number,
            "started_at": last.started_at,
            "ended_at": last.ended_at or None,
            "reason": last.reason or None,
            "counts": {"found": last.counts.found, **msgspec.structs.asdict(last.counts)},
            "config": _without_secrets(msgspec.json.decode(last.metadata)) if last.metadata else None,
        }
    if summary.shards:
        record["shards"] = [
            {
                "shard": str(each.shard),
                "condition": each.condition,
                "other_recipe": each.other_recipe,
                "active_at": round(each.active_at, 3) or None,
                **_numbers(each.counts),
            }
            for each in summary.shards
        ]
    return record


def _without_secrets(config: dict[str, object]) -> dict[str, object]:
    """Return the stored options, the web addresses among the sources without their secrets."""
    source = config.get("source")
    if isinstance(source, list):
        return {**config, "source": [redacted(each) if has_secret(each) else each for each in source]}
    return {**config, "source": redacted(source)} if isinstance(source, str) and has_secret(source) else config


def _numbers(counts: Counts) -> dict[str, int]:
    return {"done": counts.done, "failed": counts.failed, "pending": counts.pending}
