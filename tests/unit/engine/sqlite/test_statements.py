from pathlib import Path

import pytest

from pixmill.engine import ledgers
from pixmill.engine.sqlite.statements import read_statements

FILES = ["schema-1.sql", "schema-2.sql", "version-1.sql", "queries.sql"]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that makes a package with one SQL file in it, importable while the test runs."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(name, text):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "q.sql").write_text(text)
        return name

    return make


def test_statements_are_found_by_name(package):
    text = "-- one: Says one.\nSELECT 1;\n\n-- two_more: Says two,\n-- on two lines.\nSELECT 2,\n    2;\n"
    assert read_statements(package("named_sql", text), "q.sql") == {"one": "SELECT 1", "two_more": "SELECT 2,\n    2"}


@pytest.mark.parametrize("file", FILES)
def test_no_statement_of_ours_is_lost_and_each_has_its_sentence(file):
    text = Path(ledgers.__file__).with_name(file).read_text(encoding="utf-8")
    statements = read_statements(ledgers.__name__, file)
    assert len(statements) == text.count(";\n")
    assert all(statement.count(";") == 0 for statement in statements.values())
    assert all(f"-- {name}: " in text for name in statements)
