"""Shared by tests and benchmarks: servers, hosts, processes, and the invariants that every run must satisfy."""

import sys
from pathlib import Path

_TESTS = str(Path(__file__).parents[1])


def program(module: str) -> list[str]:
    """Return the command line that runs ``support.MODULE`` as a program, in a process without the tests on its path."""
    run = f"runpy.run_module('support.{module}', run_name='__main__', alter_sys=True)"
    code = f"import runpy, sys; sys.path.insert(0, {_TESTS!r}); {run}"
    return [sys.executable, "-c", code]
