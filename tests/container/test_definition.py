"""What the container files say, as the tools that read them understand it."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pixmill.batch.config.aliases import ALIASES, ALWAYS_ON
from pixmill.cli.args.layers import variable
from pixmill.cli.command import every_option
from pixmill.core.units import Duration
from pixmill.engine.policy import Policy
from pixmill.imaging.recipe import Recipe

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def services(engine):  # noqa: ARG001  # it needs an engine
    command = ("docker", "compose", "--env-file", "/dev/null", "--profile", "watch", "config", "--format", "json")
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)["services"]


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not there")
def test_hadolint_finds_nothing():
    done = subprocess.run(("hadolint", "docker/Dockerfile"), cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", ["pixmill", "watch"])
def test_a_service_has_nothing_that_it_does_not_need(services, name):
    service = services[name]
    assert service["read_only"]
    assert service["init"]
    assert service["cap_drop"] == ["ALL"]
    assert service["network_mode"] == "none"
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == "1000:1000"
    assert int(service["mem_limit"]) > 0
    assert service["pids_limit"] > 0
    source, destination = service["volumes"]
    assert (source["target"], source["read_only"]) == ("/data/input", True)
    assert (destination["target"], destination.get("read_only", False)) == ("/data/output", False)


@pytest.mark.parametrize("name", ["pixmill", "watch"])
def test_a_stop_waits_longer_than_images_in_flight_may_take(services, name):
    waits = Duration.from_builtin(services[name]["stop_grace_period"])
    assert waits >= 2 * Policy().grace


def test_only_the_watching_service_has_a_health_check_and_waits_to_be_asked_for(services):
    assert services["watch"]["healthcheck"]["test"] == ["CMD", "pixmill", "watch", "--health"]
    assert services["watch"]["profiles"] == ["watch"]
    assert "healthcheck" not in services["pixmill"]
    assert "profiles" not in services["pixmill"]


def test_every_option_is_handed_on_from_the_shell():
    lines = (ROOT / "docker" / "options.env").read_text().splitlines()
    wanted = {variable(name) for name in (*every_option(), *ALIASES, *ALWAYS_ON)}
    assert {line for line in lines if not line.startswith("#")} == wanted


def test_what_is_set_in_the_file_of_the_user_reaches_the_container_but_the_shell_comes_first(engine, tmp_path):  # noqa: ARG001
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    shutil.copytree(ROOT / "docker", tmp_path / "docker")
    (tmp_path / ".env").write_text(
        "INPUT_DIR=/mine\nPIXMILL_QUALITY=33\nPIXMILL_SIZE=9x9\nPIXMILL_TYPO=1\nPIXMILL_CONTAINER_MEMORY=1g\n"
    )
    command = ("docker", "compose", "config", "--format", "json")
    shell = {**os.environ, "PIXMILL_SIZE": "7x7", "PIXMILL_OVERWRITE": "true"}
    done = subprocess.run(command, cwd=tmp_path, env=shell, capture_output=True, text=True, check=True)
    service = json.loads(done.stdout)["services"]["pixmill"]
    assert {name: text for name, text in service["environment"].items() if name.startswith("PIXMILL_")} == {
        "PIXMILL_QUALITY": "33",
        "PIXMILL_SIZE": "7x7",
        "PIXMILL_TYPO": "1",
        "PIXMILL_OVERWRITE": "true",
        "PIXMILL_CONTAINER_MEMORY": "",  # which is the same as unset
    }
    assert service["environment"]["INPUT_DIR"] == "/data/input"
    assert service["environment"]["HOST_INPUT_DIR"] == "/mine"
    assert int(service["mem_limit"]) == 2**30


REQUIREMENTS = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-faults.txt",
    "docker/requirements-build.txt",
    "docker/requirements-image.txt",
)


def pins(file):
    """Return the pins of a file of requirements: the version of each name, and how many digests follow it."""
    text = re.sub(r"^#.*\n", "", (ROOT / file).read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.partition(" ") for line in text.splitlines()]
    return {first: len(re.findall(r" --hash=sha256:[0-9a-f]{64}\b", rest)) for first, _, rest in lines}


OF_THEIR_OWN = ("requirements-docs.txt", "requirements-release.txt")  # each has an environment of its own


@pytest.mark.parametrize("file", [*REQUIREMENTS, *OF_THEIR_OWN])
def test_every_version_is_pinned_and_the_digests_of_its_files_are_listed(file):
    found = pins(file)
    assert found
    assert [pin for pin, digests in found.items() if not re.fullmatch(r"[\w.-]+==[\w.]+", pin) or not digests] == []


def test_files_that_pin_a_package_agree_on_its_version():
    found = {pin for file in REQUIREMENTS for pin in pins(file)}
    assert len(found) == len({pin.partition("==")[0] for pin in found})


def test_pip_accepts_only_files_whose_digests_are_listed():
    """One line without a digest would make pip refuse them all, but a file without any digest would be installed unchecked."""
    installs = re.findall(r"pip (?:install|wheel)[^&]*?-r [^&\n]*", (ROOT / "docker/Dockerfile").read_text())
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^PINNED := .* --require-hashes ", makefile, flags=re.MULTILINE)
    assert [line for line in re.findall(r"pip install.* -r .*", makefile) if "--require-hashes" not in line] == []


def test_the_mounted_recipe_says_what_happens_without_it():
    assert Recipe.from_toml(ROOT / "docker" / "recipe.toml") == Recipe()


def test_what_the_recipe_offers_in_comments_is_right():
    lines = (ROOT / "docker" / "recipe.toml").read_text().splitlines()
    offered = [
        line.removeprefix("# ")
        for line in lines
        if line.startswith(("# [[", "# operation", "# amount", "# name", "# steps", "# encode"))
    ]
    recipe = Recipe.from_toml("\n".join([line for line in lines if not line.startswith("#")] + offered))
    assert [step.label() for step in recipe.steps] == ["resize", "sharpen"]
    assert [rendition.name for rendition in recipe.renditions] == ["", "thumb"]
