"""Extensions are found by module name and imported when asked for."""

import sys

import pytest

from pixmill.core.errors import ConfigError
from pixmill.core.registry import Registry


class Plugin:
    pass


@pytest.fixture
def registry(tmp_path, monkeypatch):
    package = tmp_path / "found_plugins"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "two_words.py").write_text(f"import {__name__} as home\n\nclass TwoWords(home.Plugin):\n    pass\n")
    (package / "empty.py").write_text("")
    (package / "_private.py").write_text("raise RuntimeError\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    yield Registry("found_plugins", sys.modules[__name__].Plugin, "plugin")
    for name in [name for name in sys.modules if name.startswith("found_plugins")]:
        del sys.modules[name]


def test_names_are_listed_without_importing_anything(registry):
    assert registry.names() == ["empty", "two_words"]
    assert "found_plugins.two_words" not in sys.modules


def test_a_dash_and_an_underscore_are_the_same(registry):
    assert registry.get("two-words") is registry.get("two_words")


def test_an_unknown_name_is_answered_with_the_nearest(registry):
    with pytest.raises(ConfigError, match="unknown plugin 'two_wrds'; did you mean 'two_words'"):
        registry.get("two_wrds")


def test_a_module_without_an_extension_says_so(registry):
    with pytest.raises(ConfigError, match="defines no plugin"):
        registry.get("empty")


def test_preloading_imports_the_package_and_runs_no_code_of_plugins(tmp_path, registry):
    (tmp_path / "found_plugins/empty.py").unlink()
    assert registry.preload()
    assert "found_plugins.two_words" in sys.modules
    (tmp_path / "foreign-1.0.dist-info").mkdir()
    (tmp_path / "foreign-1.0.dist-info/METADATA").write_text("Name: foreign\nVersion: 1.0\n")
    (tmp_path / "foreign-1.0.dist-info/entry_points.txt").write_text("[found_plugins]\nforeign = foreign:Foreign\n")
    assert not Registry("found_plugins", registry.base, "plugin").preload()
