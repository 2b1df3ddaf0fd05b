"""The page on versions and stability says what the code says."""

import importlib
import re
import tomllib
from pathlib import Path

import pixmill
from pixmill.batch.datasets.packing import packings
from pixmill.batch.run import executors
from pixmill.batch.source import sources
from pixmill.cli.command import commands
from pixmill.cli.exit_codes import ExitCode
from pixmill.core.registry import Registry
from pixmill.engine.events import EVENTS_VERSION
from pixmill.engine.ledgers.sqlite import _SCHEMA
from pixmill.imaging.codec import Codec
from pixmill.imaging.operation import Operation
from pixmill.storage.open import schemes

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "stability.md").read_text()


def test_the_exit_codes_are_those_of_the_command():
    (row,) = re.findall(r"^\| exit codes \| (.*?), as in", PAGE, re.MULTILINE)
    assert {int(code) for code in re.findall(r"\d+", row)} == {int(code) for code in ExitCode}


def test_the_versions_of_the_ledger_and_of_the_events_are_those_of_the_code():
    assert f"numbered schema, now version {_SCHEMA.version}." in PAGE
    assert f"`version` of the format, now {EVENTS_VERSION}." in PAGE
    assert f"`ledger.sqlite.version-{_SCHEMA.version - 1}`" in PAGE


def test_the_groups_of_entry_points_are_those_that_are_searched():
    registries: list[Registry] = [Codec.registry, Operation.registry, commands, schemes(), sources(), executors(), packings()]
    named = re.findall(r"`(pixmill(?:\.\w+){2,3})`", PAGE.split("## Extensions")[1].split("The groups are stable")[0])
    assert sorted(named) == sorted(registry.package for registry in registries)


def test_the_suites_exist_and_the_public_names_are_declared():
    (suites,) = re.findall(r"conformance suites of `pixmill\.testing` \((.*?)\)", PAGE, re.DOTALL)
    assert [importlib.import_module(f"pixmill.testing.{name}") for name in re.findall(r"`(\w+)`", suites)]
    assert pixmill.__all__
    assert pixmill.engine.__all__


def test_the_oldest_python_is_the_one_that_is_verified():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"Python {project['requires-python'].removeprefix('>=')} | everything | verified: " in PAGE


def test_every_link_of_the_pages_leads_somewhere():
    for name in ("stability.md", "automation.md"):
        page = ROOT / "docs" / name
        links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[\w-]+)?\)", page.read_text())
        assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_package_claims_no_system_that_is_not_verified():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    claimed = [each.rpartition(" :: ")[2] for each in project["classifiers"] if each.startswith("Operating System")]
    verified = re.findall(r"^\| (\w+)[^|]*\|[^|]*\| verified:", PAGE, re.MULTILINE)
    assert claimed == verified == ["Linux"]
