"""The simulated cluster: whatever faults its nodes have, every task has one outcome."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "simulation.py"


@pytest.mark.parametrize("seed", ["1", "2"])
def test_every_task_has_one_outcome_on_a_cluster_in_a_storm(seed):
    line = [sys.executable, SCRIPT, "--nodes", "40", "--tasks", "100", "--seed", seed, "--json"]
    ended = subprocess.run(line, capture_output=True, text=True, check=True, timeout=120)
    calm, storm = map(json.loads, ended.stdout.splitlines())
    assert calm["failed"] == storm["failed"] == calm["tasks"] // 500
    assert calm["leased_anew"] == 0
    assert min(storm[name] for name in ("deaths", "cut_offs", "stragglers", "leased_anew", "late_answers")) > 0
    assert calm["ideal"] <= calm["makespan"] < 1.2 * calm["ideal"]
    assert storm["makespan"] > calm["makespan"]


def test_the_same_seed_gives_the_same_simulation():
    line = [sys.executable, SCRIPT, "--nodes", "10", "--tasks", "10", "--json"]
    first, second = (
        [{**json.loads(row), "took": 0} for row in subprocess.check_output(line, text=True).splitlines()] for _ in range(2)
    )
    assert first == second
