"""The units, manifests and the crontab of ``examples/service`` pass their linters, and their commands do what they say."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from support.processes import wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
SERVICE = EXAMPLES / "service"
PODS = [SERVICE / "kubernetes-watch.yaml", SERVICE / "kubernetes-nightly.yaml", EXAMPLES / "cluster" / "kubernetes-job.yaml"]
COMMAND = "/usr/local/bin/pixmill"
FINISHED, SOME_FAILED, STOPPED, TERMINATED = 0, 1, 3, 143


def settings(name):
    """Return the values of each setting of a unit."""
    found = {}
    for line in (SERVICE / name).read_text().splitlines():
        if match := re.match(r"(\w+)=(.*)", line):
            found.setdefault(match[1], []).append(match[2])
    return found


@pytest.fixture
def folders(tmp_path):
    """Return a folder with a picture, for the places that the examples name."""
    (tmp_path / "srv" / "photos").mkdir(parents=True)
    Image.radial_gradient("L").save(tmp_path / "srv" / "photos" / "a.png")
    return tmp_path


def line(text, folders):
    """Return the command of an example, with this pixmill and these folders."""
    words = shlex.split(text.replace("/srv/", f"{folders}/srv/"))
    place = words.index(next(word for word in words if word.endswith("pixmill")))
    return [*words[:place], sys.executable, "-m", "pixmill", *words[place + 1 :]]


def environment(**more):
    return {name: value for name, value in os.environ.items() if not name.startswith("PIXMILL_")} | more


def run(words, **more):
    return subprocess.run(words, env=environment(**more), capture_output=True, text=True, check=False, timeout=120)


def test_the_units_are_what_systemd_expects(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    units = []
    for unit in sorted([*SERVICE.glob("*.service"), *SERVICE.glob("*.timer")]):
        units.append(tmp_path / unit.name)
        units[-1].write_text(unit.read_text().replace(COMMAND, "/bin/true"))
    checked = run(["systemd-analyze", "--man=no", "verify", *units])
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_unit_stops_for_what_a_restart_cannot_mend_and_survives_a_killed_worker():
    for name, final in (("pixmill-watch.service", ["2"]), ("pixmill-nightly.service", ["1 2"])):
        unit = settings(name)
        assert unit["RestartPreventExitStatus"] == final
        assert (unit["Restart"], unit["SuccessExitStatus"], unit["OOMPolicy"]) == (["on-failure"], ["143"], ["continue"])
        assert unit["KillMode"] == ["mixed"]


def test_a_watch_keeps_other_runs_away_and_ends_with_what_its_unit_calls_success(folders):
    (command,) = settings("pixmill-watch.service")["ExecStart"]
    words = line(command, folders)
    watch = subprocess.Popen(words, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until((folders / "srv/thumbs/a.webp").exists)
        health = run([*words[: words.index("watch") + 3], "--health"])
        assert health.returncode == FINISHED
        other = run(line(cron(), folders))
        assert other.returncode == STOPPED
        assert "another run is writing" in other.stderr
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(60) in (FINISHED, TERMINATED)
    finally:
        watch.kill()
        watch.wait()


def test_a_night_says_nothing_or_one_line_and_ends_with_the_code_that_the_unit_expects(folders):
    (command,) = settings("pixmill-nightly.service")["ExecStart"]
    first = run(line(command, folders))
    assert (first.returncode, first.stdout + first.stderr) == (FINISHED, "")
    (folders / "srv" / "photos" / "b.jpg").write_bytes(b"\xff\xd8\xff no more")
    second = run(line(command, folders))
    assert second.returncode == SOME_FAILED
    assert len((second.stdout + second.stderr).splitlines()) == 1


def cron():
    """Return the command of the crontab."""
    lines = [each for each in (SERVICE / "crontab").read_text().splitlines() if not each.startswith("#")]
    *variables, entry = lines
    assert all(re.fullmatch(r"[A-Z]+=\S+", each) for each in variables)
    found = re.fullmatch(r"((?:[\d*]+ ){5})pixmill (nice pixmill .*)", entry)
    assert found
    assert "%" not in found[2]  # cron would make a new line of it
    return found[2]


def test_the_line_of_cron_is_a_run(folders):
    assert run(line(cron(), folders)).returncode == FINISHED


@pytest.fixture(scope="module")
def manifest():
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    return lambda path: yaml.safe_load(path.read_text())


def pod(resource):
    spec = resource["spec"]
    return (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]["spec"]


@pytest.mark.parametrize("path", PODS[:2], ids=lambda path: path.stem)
def test_a_manifest_is_what_kubernetes_expects(path, manifest):
    linter = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    linter.validate(manifest(path), "1.34", strict=True)


@pytest.mark.parametrize("path", PODS, ids=lambda path: path.stem)
def test_a_pod_needs_no_rights_and_has_bounds(path, manifest):
    spec = pod(manifest(path))
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}
    assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert "sizeLimit" in volumes[mounts["/tmp"]["name"]]["emptyDir"]
    assert mounts["/data/input"]["readOnly"]
    assert not spec["automountServiceAccountToken"]


def test_the_nightly_job_tries_again_what_may_end_otherwise(manifest):
    job = manifest(PODS[1])["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    rules = job["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert [rule["onExitCodes"]["values"] for rule in rules if "onExitCodes" in rule] == [[1, 2]]
    assert pod(manifest(PODS[1]))["restartPolicy"] == "Never"


def test_the_arguments_of_the_pods_are_those_of_a_command(manifest, folders):
    places = {"INPUT_DIR": str(folders / "srv" / "photos"), "OUTPUT_DIR": str(folders / "srv" / "thumbs")}
    nightly, watching = (pod(manifest(path))["containers"][0] for path in (PODS[1], PODS[0]))
    ended = run([sys.executable, "-m", "pixmill", *nightly["args"]], **places)
    assert ended.returncode == FINISHED, ended.stderr
    assert (folders / "srv" / "thumbs" / "a.webp").exists()
    probe = watching["livenessProbe"]["exec"]["command"]
    assert run([sys.executable, "-m", *probe], **places).returncode == STOPPED
    known = run([sys.executable, "-m", "pixmill", "watch", "--help"]).stdout
    assert [word for word in watching["args"] if word.startswith("--") and word not in known] == []
