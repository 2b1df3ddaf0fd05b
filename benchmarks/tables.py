"""Generates the tables of the documents from the rows of a run."""

import json
import re
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from peers import PEERS
from scenario import Goal, Scenario, scenarios

Row = Mapping[str, Any]

OURS = "pixmill"
HEADLINE = ("pixmill", "sharp", "pillow-simd", "pillow", "pillow-1")
COLUMNS = ("", "images/s", "MP/s", "CPU s/image", "peak memory", "bytes/image", "PSNR", "SSIM", "pixmill speedup")
GOALS = ("", "rate", "target", "measured", "codec calls only", "met")
BARE = {"pixmill": "bare", "pixmill-1": "bare-1"}  # the codecs alone
MIB = 2**20


def read(path: Path) -> tuple[Row, list[Row]]:
    """Return the machine and the rows of a run."""
    head, *rows = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    return head, rows


def document(path: Path) -> str:
    """Return the tables of a run in Markdown, with a section for each scenario, including unfavourable rows."""
    head, rows = read(path)
    paragraphs = [_description(path, head)]
    for scenario in scenarios():
        scenario_rows = [row for row in rows if row["scenario"] == scenario.name]
        if scenario_rows:
            paragraphs += [f"### {scenario.title}", table(scenario, scenario_rows)]
    if head["missing"]:
        paragraphs.append("Not measured: " + "; ".join(f"{name}, {reason}" for name, reason in head["missing"].items()) + ".")
    return "\n\n".join(paragraphs)


def _description(path: Path, head: Row) -> str:
    return (
        f"Run of {head['date']}, commit {head['commit']}: {_machine(head)}, "
        f"Python {head['machine']['python']}, outputs on {head['machine']['file_system']}. "
        f"{head['repetitions']} repetitions, the tools in turn; every figure is a median. "
        f"Rows: [{path.name}](../benchmarks/runs/{path.name})."
    )


def _machine(head: Row) -> str:
    machine = head["machine"]
    return f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}, {machine['system']}"


def table(scenario: Scenario, rows: Sequence[Row]) -> str:
    """Return the table of one scenario, the fastest peer first."""
    by_peer = {peer.name: [row for row in rows if row["peer"] == peer.name] for peer in PEERS}
    lines = [_line(peer.label, by_peer[peer.name], by_peer[OURS]) for peer in PEERS if by_peer[peer.name]]
    lines.sort(key=lambda line: -line[0])
    again = scenario.mode == "again"
    columns = COLUMNS[:2] if again else COLUMNS
    body = [cells[: len(columns)] for _, cells in lines]
    return "\n".join(_markdown(cells) for cells in [columns, ["---", *["---:"] * (len(columns) - 1)], *body])


def goals(path: Path) -> str:
    """Return the table of targets and results."""
    _, rows = read(path)
    lines: list[Sequence[str]] = [GOALS, ["---", "---", "---:", "---:", "---:", "---"]]
    lines += [line for scenario in scenarios() for goal in scenario.goals for line in _goal(scenario, goal, rows)]
    return "\n".join(_markdown(line) for line in lines)


def _goal(scenario: Scenario, goal: Goal, rows: Iterable[Row]) -> Iterator[Sequence[str]]:
    by_peer = {peer.name: [row for row in rows if (row["scenario"], row["peer"]) == (scenario.name, peer.name)] for peer in PEERS}
    ours, theirs = by_peer[goal.who], by_peer[goal.than]
    if ours and theirs:
        labels = {peer.name: peer.label for peer in PEERS}
        title = scenario.title if goal is scenario.goals[0] else ""
        pair = f"{labels[goal.who]} / {labels[goal.than]}"
        value = ratio(ours, theirs) if goal.measure == "rate" else 1 / ratio(ours, theirs, column="pss")
        is_met = round(value, 2) >= goal.times
        what = pair if goal.measure == "rate" else f"memory: 1 / ({pair})"
        yield [title, what, f"{goal.times:.2f}", f"{value:.2f}", _limit(goal, by_peer), "yes" if is_met else "no"]


def _limit(goal: Goal, by_peer: Mapping[str, Sequence[Row]]) -> str:
    """Return the same ratio with pixmill replaced by its codec calls alone."""
    ours, theirs = by_peer[BARE[goal.who]], by_peer[BARE.get(goal.than, goal.than)]
    return f"{ratio(ours, theirs):.2f}" if ours and theirs and goal.measure == "rate" else "-"


def headline(path: Path) -> str:
    """Return the short table: images per second by scenario, for the most common peers, and the machine that measured it."""
    head, rows = read(path)
    labels = {peer.name: peer.label for peer in PEERS}
    lines: list[Sequence[str]] = [["images per second", *(labels[name] for name in HEADLINE)], ["---", *["---:"] * len(HEADLINE)]]
    for scenario in scenarios():
        mine = [row for row in rows if row["scenario"] == scenario.name]
        if len({row["peer"] for row in mine} & set(HEADLINE)) > 1:
            lines.append([scenario.title, *(_rate(row for row in mine if row["peer"] == name) for name in HEADLINE)])
    measured = f"Measured on {head['date']} on {_machine(head)}. [More tools, memory and fidelity](docs/benchmarks.md)"
    return "\n".join([*(_markdown(line) for line in lines), "", measured])


def fill(document: Path, marker: str, text: str) -> None:
    """Replace the text between the two comments named ``marker`` in ``document`` with ``text``."""
    before, after = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    pattern = re.compile(re.escape(before) + ".*?" + re.escape(after), re.DOTALL)
    document.write_text(pattern.sub(lambda _: f"{before}\n{text}\n{after}", document.read_text("utf-8")), "utf-8")


def ratio(ours: Iterable[Row], theirs: Iterable[Row], *, column: str = "rate") -> float:
    """Return ours / theirs: the median of the ratios within each repetition."""
    mine = {row["repetition"]: row[column] for row in ours}
    return statistics.median(mine[row["repetition"]] / row[column] for row in theirs if row["repetition"] in mine)


def _line(label: str, rows: Sequence[Row], ours: Sequence[Row]) -> tuple[float, list[str]]:
    def middle(name: str) -> float:
        return statistics.median(row[name] for row in rows)

    scored = rows[0].get("psnr") is not None
    cells = [
        f"{label} {rows[0]['version']}",
        _number(middle("rate")),
        _number(middle("megapixels")),
        f"{middle('cpu'):.3g}",
        f"{middle('pss') / MIB:.0f} MiB",
        f"{middle('bytes'):,.0f}",
        f"{rows[0]['psnr']:.2f} dB" if scored else "-",
        f"{rows[0]['ssim']:.4f}" if scored else "-",
        "" if rows is ours else f"{ratio(ours, rows):.2f} x",
    ]
    return middle("rate"), cells


def _rate(rows: Iterable[Row]) -> str:
    rates = [row["rate"] for row in rows]
    return _number(statistics.median(rates)) if rates else "-"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004  # three digits are enough


def _markdown(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
