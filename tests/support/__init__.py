"""What tests and benchmarks share: servers, hosts, processes, and the properties that every run is judged by."""

import sys
from pathlib import Path

_TESTS = str(Path(__file__).parents[1])


def program(module: str) -> list[str]:
    """Return the words that run ``support.MODULE`` as a program, in a process that knows nothing of where tests are."""
    run = f"runpy.run_module('support.{module}', run_name='__main__', alter_sys=True)"
    code = f"import runpy, sys; sys.path.insert(0, {_TESTS!r}); {run}"
    return [sys.executable, "-c", code]
