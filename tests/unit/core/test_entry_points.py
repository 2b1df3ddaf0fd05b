"""Entry points of installed packages are found wherever ``importlib.metadata`` finds them."""

import zipfile

import pytest

from pixmill.core.registry import entry_points

METADATA = {"METADATA": "Name: foreign\nVersion: 1.0\n", "entry_points.txt": "[a.group]\nsome-name = foreign:Foreign\n"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("place")
def test_there_are_none_where_no_package_declares_any():
    assert entry_points("a.group") == {}


@pytest.mark.parametrize("folder", ["foreign-1.0.dist-info", "foreign.egg-info"])
def test_they_are_found_by_name_also_if_the_package_was_installed_a_moment_ago(place, folder):
    assert entry_points("a.group") == {}
    (place / folder).mkdir()
    for name, text in METADATA.items():
        (place / folder / (name if folder.endswith("dist-info") else name.replace("METADATA", "PKG-INFO"))).write_text(text)
    assert entry_points("a.group")["some_name"].value == "foreign:Foreign"
    assert entry_points("another.group") == {}


def test_they_are_found_in_an_archive(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "packages.zip", "w") as archive:
        for name, text in METADATA.items():
            archive.writestr(f"foreign-1.0.dist-info/{name}", text)
    monkeypatch.syspath_prepend(tmp_path / "packages.zip")
    assert set(entry_points("a.group")) == {"some_name"}
