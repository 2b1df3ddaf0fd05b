"""The hooks for contributors and for the repositories of others do what they promise, run by pre-commit in a repository of git."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture
def repository(tmp_path):
    """Return a repository of git with images, and pixmill on the path of its commands."""
    folder = tmp_path / "repository"
    (folder / "deep").mkdir(parents=True)
    for name in ("one.jpg", "deep/one.jpg", "-with spaces.png"):
        Image.radial_gradient("L").save(folder / name)
    (folder / "deep" / "notes.txt").write_text("no image")
    git(folder, "init", "--quiet")
    return folder


def git(folder, *words):
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def pre_commit(folder, configuration):
    """Run the hooks of ``configuration`` on every file; return the exit code and what they said."""
    if not (BIN / "pre-commit").exists():
        pytest.skip("pre-commit is not installed")
    place = folder.parent
    (place / "bin").mkdir(exist_ok=True)
    command = place / "bin" / "pixmill"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pixmill "$@"\n')
    command.chmod(0o755)
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(configuration))
    git(folder, "add", "--all")
    (place / "tmp").mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PIXMILL_"))}
    environment |= {
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(place / "cache"),
        "TMPDIR": str(place / "tmp"),
    }
    line = [BIN / "pre-commit", "run", "--all-files", "--color=never"]
    ended = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert list((place / "tmp").glob("tmp.*")) == []
    return ended.returncode, ended.stdout


def offered():
    """Return the hook that is offered, with the pixmill that is installed here."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["language"] == "python"  # pre-commit installs the package, with its command
    return {"repos": [{"repo": "local", "hooks": [hook | {"language": "system"}]}]}


def test_intact_images_can_be_committed_and_nothing_is_written(repository):
    before = {path: path.read_bytes() for path in repository.glob("**/*.*g")}
    code, said = pre_commit(repository, offered())
    assert code == 0, said
    assert "Passed" in said
    assert {path: path.read_bytes() for path in before} == before
    git(repository, "diff", "--quiet")


def test_a_damaged_image_is_named_and_no_command_that_would_not_work(repository):
    whole = (repository / "one.jpg").read_bytes()
    (repository / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (repository / "text.png").write_text("version https://git-lfs.github.com/spec/v1\n")
    code, said = pre_commit(repository, offered())
    assert code != 0
    assert "exit code: 1" in said
    assert "cut.jpg: truncated" in said
    assert "text.png: not-an-image" in said
    assert "pixmill retry" not in said
    assert "pixmill failures" not in said


def test_a_wrong_argument_is_said(repository):
    configuration = offered()
    configuration["repos"][0]["hooks"][0]["args"] = ["--max-pixel", "3"]
    code, said = pre_commit(repository, configuration)
    assert code != 0
    assert "--max-pixels" in said


def test_the_local_hook_of_the_page_writes_copies_beside_the_originals(repository):
    page = (ROOT / "docs" / "automation.md").read_text()
    *_, block = page.split("```yaml\n")
    (repository / "images").mkdir()
    Image.radial_gradient("L").save(repository / "images" / "one.png")
    code, said = pre_commit(repository, {"repos": yaml.safe_load(block.split("```")[0])})
    assert code == 0, said
    assert (repository / "site" / "images" / "one.png").stat().st_size <= (repository / "images" / "one.png").stat().st_size
    assert "- id: pixmill-check" in page


def test_the_hooks_for_contributors_run_what_make_runs(tmp_path):
    configuration = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = {hook["id"]: hook["entry"] for hook in configuration["repos"][0]["hooks"]}
    commands = [
        line.split("$(BIN)/")[1] for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("\t$(BIN)/ruff")
    ]
    assert [f".venv/bin/{command}" for command in commands] == [
        hooks[name].removesuffix(" --force-exclude") for name in ("ruff-check", "ruff-format")
    ]
    if not (BIN / "pre-commit").exists():
        pytest.skip("pre-commit is not installed")
    ended = subprocess.run([BIN / "pre-commit", "validate-config", ROOT / ".pre-commit-config.yaml"], cwd=tmp_path, check=False)
    assert ended.returncode == 0
    ended = subprocess.run([BIN / "pre-commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml"], cwd=tmp_path, check=False)
    assert ended.returncode == 0
