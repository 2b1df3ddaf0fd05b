"""Programs that start a run from anywhere: a script without a guard, ``python -c``, standard input."""

import importlib.util

import pytest

GUARD = 'put the call that starts the run under `if __name__ == "__main__":`'
ENGINE = """
from pixmill import engine
from pixmill.batch.run import executors

def work(payload: bytes) -> bytes:
    return payload

executor = executors().get(EXECUTOR).connect(workers=2, address=None)
print(engine.run([engine.Task.of("a", b"x")], work, executor=executor))
"""
STEP = """
import pixmill

def step(image: pixmill.Image) -> pixmill.Image:
    return image

print(pixmill.run("photos", "out", pixmill.Recipe(steps=[step]), workers=2, executor=EXECUTOR).counts)
"""
PLAIN = 'import pixmill; print(pixmill.run("photos", "out", size=50, workers=2).counts)'
PROCESSES = [
    "local",
    *(
        pytest.param(name, marks=[pytest.mark.slow, pytest.mark.skipif(not importlib.util.find_spec(module), reason=f"no {name}")])
        for name, module in {"dask": "distributed", "ray": "ray"}.items()
    ),
]


def with_executor(program, executor):
    """Return ``program`` for this executor. It is not an argument: nodes of a cluster have their own command line."""
    return program.replace("EXECUTOR", repr(executor))


@pytest.fixture
def script(desk, python):
    """Return a function that runs a program as a script, with an executor."""

    def run(program, executor="local"):
        (desk / "script.py").write_text(with_executor(program, executor))
        return python("script.py")

    return run


@pytest.mark.parametrize("executor", PROCESSES)
@pytest.mark.parametrize("program", [ENGINE, STEP], ids=["engine", "step"])
def test_a_script_without_a_guard_is_told_the_cause_and_the_guard(script, program, executor):
    done = script(program, executor)
    assert done.returncode == 1
    assert "a worker process tried to start another run" in done.stderr
    assert done.stderr.rstrip().endswith(GUARD)


@pytest.mark.parametrize("program", [ENGINE, STEP], ids=["engine", "step"])
def test_a_script_without_a_guard_runs_once_where_everything_is_in_one_process(script, program):
    done = script(program, "inline")
    assert (done.returncode, done.stdout.count("Counts(done=")) == (0, 1), done.stderr


@pytest.mark.parametrize("program", [ENGINE, STEP], ids=["engine", "step"])
def test_a_script_with_a_guard_runs(script, program):
    last = program.rstrip().splitlines()[-1]
    done = script(program.replace(last, f'if __name__ == "__main__":\n    {last}'), "local")
    assert (done.returncode, done.stdout.count("Counts(done=")) == (0, 1), done.stderr


@pytest.mark.parametrize("how", ["script", "-c", "stdin"])
def test_a_run_without_functions_needs_no_guard(script, python, how):
    runs = {"script": lambda: script(PLAIN), "-c": lambda: python("-c", PLAIN), "stdin": lambda: python("-", input=PLAIN)}
    done = runs[how]()
    assert (done.returncode, done.stdout) == (0, "Counts(done=2, skipped=0, failed=0, pending=0)\n"), done.stderr


@pytest.mark.parametrize("program", [ENGINE, STEP], ids=["engine", "step"])
@pytest.mark.parametrize("how", ["-c", "stdin"])
def test_a_function_without_a_file_is_refused_with_a_remedy(python, program, how):
    program = with_executor(program, "local")
    done = python("-c", program) if how == "-c" else python("-", input=program)
    assert done.returncode == 1
    assert "is defined in an interactive session" in done.stderr
    assert "put the function into a .py file" in done.stderr


def test_a_traceback_shows_the_hint(python):
    done = python("-c", 'import pixmill; pixmill.run("photos", "out", compression=80)')
    assert done.stderr.splitlines()[-2:] == [
        "pixmill.core.errors.ConfigError: compression: no such option",
        "use quality and effort; pixmill explain png lists what the format has",
    ]
