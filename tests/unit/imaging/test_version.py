from importlib.metadata import PackageNotFoundError, version

from pixmill.imaging.version import LIBVIPS, libraries, toolset


def expected(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def test_the_versions_are_those_of_the_installed_distributions():
    found = libraries()
    assert {name: expected(name) for name in found if name != "engine"} == {
        name: text for name, text in found.items() if name != "engine"
    }
    assert found["pillow"]


def test_a_toolset_has_only_libraries_that_are_installed():
    parts = toolset().split(", ")
    assert parts[1] == f"libvips {LIBVIPS}"
    assert f"pillow {expected('pillow')}" in parts
    assert all(len(part.split(" ")) == 2 for part in parts)
