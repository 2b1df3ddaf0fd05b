import functools
import textwrap

import pytest

from pixmill.core.errors import ConfigError
from pixmill.core.object_reference import import_object, reference


def double(number):
    return 2 * number


def test_a_function_of_a_module_is_found_again_by_its_reference():
    assert reference(textwrap.dedent) == "textwrap:dedent"
    assert import_object("textwrap:dedent") is textwrap.dedent


def test_a_method_of_a_class_is_found_by_its_dotted_name():
    assert import_object("pathlib:Path.exists").__name__ == "exists"


def test_a_function_of_a_file_is_found_and_the_file_runs_once(tmp_path):
    (tmp_path / "steps.py").write_text("import os\nos.mkdir(__file__ + '.ran')\ndef f(): return 7\n")
    address = f"{tmp_path / 'steps.py'}:f"
    assert import_object(address)() == 7
    assert import_object(address) is import_object(address)


def test_two_files_of_one_name_are_two_modules(tmp_path):
    for folder, value in (("one", 1), ("two", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "steps.py").write_text(f"def f(): return {value}\n")
    assert [import_object(f"{tmp_path / folder / 'steps.py'}:f")() for folder in ("one", "two")] == [1, 2]


def test_a_file_that_fails_to_load_is_tried_again_the_next_time(tmp_path):
    file = tmp_path / "broken.py"
    file.write_text("1 / 0\n")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            import_object(f"{file}:f")


@pytest.mark.parametrize("function", [lambda: 1, functools.partial(double, 2)])
def test_what_has_no_name_of_its_own_is_refused(function):
    with pytest.raises(ConfigError, match="expected a function at the top level"):
        reference(function)


def test_an_inner_function_is_refused():
    def inner():
        return 1

    with pytest.raises(ConfigError, match="top level"):
        reference(inner)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("nowhere_at_all:f", "there is no Python module nowhere_at_all"),
        ("textwrap:nothing", "textwrap has no function called nothing"),
        ("textwrap:__doc__", "textwrap has no function called __doc__"),
        ("missing/steps.py:f", "there is no Python file"),
        ("just_a_name", "received no module"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(address, sentence):
    with pytest.raises(ConfigError, match=sentence):
        import_object(address)


def test_a_module_that_lacks_a_dependency_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text("import a_dependency_that_is_not_installed\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_dependency_that_is_not_installed"):
        import_object("needs_more:f")
