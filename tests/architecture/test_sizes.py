"""A file is a room with one purpose: the sizes that the design asks for."""

import ast
import statistics
from itertools import pairwise
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "pixmill"


def lengths():
    return {path: len(path.read_text().splitlines()) for path in SOURCE.rglob("*.py") if path.name != "__init__.py"}


def test_no_file_is_above_400_lines():
    assert {path.name: lines for path, lines in lengths().items() if lines > 400} == {}


def test_most_files_fit_a_few_screens():
    ordered = sorted(lengths().values())
    assert statistics.median(ordered) <= 110
    assert statistics.quantiles(ordered, n=10)[-1] <= 250


def test_most_functions_fit_half_a_screen():
    sizes = [size for path in lengths() for size in function_sizes(ast.parse(path.read_text()))]
    assert statistics.quantiles(sizes, n=10)[-1] <= 25


def function_sizes(tree):
    """Lines of each function without its docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            documented = ast.get_docstring(node) is not None
            first = node.body[1] if documented and len(node.body) > 1 else node.body[0]
            yield node.end_lineno - first.lineno + 1


def test_the_decisions_are_numbered_without_gaps_or_doubles():
    numbers = sorted(int(path.name[:4]) for path in (SOURCE.parents[1] / "docs" / "decisions").glob("0*.md"))
    assert all(second == first + 1 for first, second in pairwise(numbers))
