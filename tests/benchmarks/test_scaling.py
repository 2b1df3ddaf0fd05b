"""The benchmark of the coordinator still runs, loses nothing, and keeps its rows."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "scaling.py"


def test_every_kind_of_row_is_measured_and_kept(tmp_path):
    rows = tmp_path / "rows.jsonl"
    line = [sys.executable, SCRIPT, "--tasks", "2000", "--files", "2000", "--images", "20", "--output", rows]
    subprocess.run(line, check=True, capture_output=True, timeout=120)
    kept = [json.loads(row) for row in rows.read_text().splitlines()]
    assert [row["kind"] for row in kept] == ["machine", "list", "list", "product", "run", "unchanged", "status"]
    assert kept[-1]["tasks"] == kept[-3]["tasks"] == 2000
    assert kept[-3]["ledger"] > 2000 * 100
