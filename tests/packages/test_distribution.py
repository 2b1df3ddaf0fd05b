"""What a release would publish: the wheel and the source distribution are built, looked at, installed, used and removed."""

import email
import os
import subprocess
import sys
import tarfile
import zipfile
from io import StringIO
from pathlib import Path

import pytest
from PIL import Image

from pixmill import __version__

ROOT = Path(__file__).parents[2]
BESIDE_SOURCE = {".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
UNWANTED = ("/tests/", "/corpus/", "__pycache__", ".pyc", ".cache", "/shared/")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return the wheel and the source distribution."""
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=ROOT, check=True, capture_output=True)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


@pytest.fixture(scope="module")
def metadata(built):
    with zipfile.ZipFile(built[0]) as wheel:
        return email.message_from_bytes(wheel.read(f"pixmill-{__version__}.dist-info/METADATA"))


def content(wheel):
    with zipfile.ZipFile(wheel) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def tracked(folder):
    listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, check=True, capture_output=True, text=True)
    return {line for line in listed.stdout.splitlines() if (ROOT / line).exists()}


def test_the_source_distribution_has_the_package_and_what_describes_it(built):
    with tarfile.open(built[1]) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    assert {name for name in names if not name.startswith("src/")} == BESIDE_SOURCE | tracked("docs/reference/man")
    assert {name for name in names if name.startswith("src/")} >= tracked("src")
    assert [name for name in names if any(part in f"/{name}" for part in UNWANTED)] == []


def test_a_wheel_from_the_source_distribution_is_the_same_byte_for_byte(built, tmp_path):
    line = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", tmp_path, built[1]]
    subprocess.run(line, check=True, capture_output=True)
    (again,) = tmp_path.glob("*.whl")
    assert content(again) == content(built[0])
    assert [name for name in content(again) if any(part in f"/{name}" for part in UNWANTED)] == []


def test_the_classifiers_exist_and_the_metadata_are_valid(metadata):
    trove = pytest.importorskip("trove_classifiers", reason="trove-classifiers is not installed")
    checked = pytest.importorskip("packaging.metadata", reason="packaging is not installed")
    assert [each for each in metadata.get_all("Classifier") if each not in trove.classifiers] == []
    assert checked.Metadata.from_email(str(metadata), validate=True).name == "pixmill"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"


def test_a_package_index_can_show_the_readme(metadata):
    markdown = pytest.importorskip("readme_renderer.markdown", reason="readme-renderer is not installed")
    assert metadata["Description-Content-Type"] == "text/markdown"
    warnings = StringIO()
    shown = markdown.render(metadata.get_payload(), stream=warnings)
    assert shown, warnings.getvalue()
    assert "<table>" in shown
    assert "benchmark -->" not in shown


def test_links_of_the_project_are_those_of_its_repository(metadata):
    """There are none until the repository has a public address; a release is refused without."""
    links = dict(each.split(", ", 1) for each in metadata.get_all("Project-URL", []))
    assert links.keys() <= {"Repository", "Documentation", "Changelog", "Issues"}
    assert [address for address in links.values() if not address.startswith(links.get("Repository", "no repository"))] == []


@pytest.mark.slow
def test_the_wheel_is_installed_with_all_it_needs_used_and_removed_without_a_trace(built, tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    pip = [sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check"]
    line = [*pip, "install", "--no-compile", built[0]]
    installed = subprocess.run(line, capture_output=True, text=True, check=False, timeout=250)
    if installed.returncode:
        pytest.skip(f"pip cannot reach its index: {installed.stderr[-300:]}")
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    for folder in (home, temporary, tmp_path / "in"):
        folder.mkdir()
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "PIXMILL_", "XDG_"))}
    environment = kept | {"HOME": str(home), "TMPDIR": str(temporary)}

    def pixmill(*words):
        ended = subprocess.run(
            [python.with_name("pixmill"), *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    assert __version__ in pixmill("--version")
    Image.radial_gradient("L").save(tmp_path / "in" / "a.png")
    pixmill("run", "in", "out", "--size", "64x64", "--format", "webp")
    with Image.open(tmp_path / "out" / "a.webp") as made:
        assert made.size == (64, 64)
    subprocess.run([*pip, "uninstall", "--yes", "pixmill"], check=True, capture_output=True)
    assert [path for path in (tmp_path / "venv").rglob("*") if "pixmill" in path.name] == []
    assert [*home.iterdir(), *temporary.iterdir()] == []
