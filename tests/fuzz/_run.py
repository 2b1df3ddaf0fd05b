"""Fuzz one target with atheris: ``python tests/fuzz/_run.py NAME SEEDS... -max_total_time=60``.

Only what is ours is instrumented; all that is imported would take minutes before the first input.
"""

import importlib.util
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pixmill"]):
    spec = importlib.util.spec_from_file_location("fuzz_targets", Path(__file__).with_name("_targets.py"))
    targets = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(targets)

target = targets.TARGETS[sys.argv.pop(1)]
atheris.Setup(sys.argv, target)
atheris.Fuzz()
