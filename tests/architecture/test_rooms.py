"""A folder of the package is about one subject: it has enough modules to be worth opening, and few enough to find one.

Only a folder's own modules count, not ``__init__.py`` and not its subfolders, which are checked by themselves.
"""

from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "pixmill"
FEWEST, MOST = 3, 20
EXTENSIONS = "the registry loads every module in it as an extension, so it can hold nothing else"
#: folders of another size, each with its reason
OTHER_SIZES = {
    "engine/ledgers": EXTENSIONS,
    "batch/datasets/packings": EXTENSIONS,
    "batch/progress": "people look for it by name",
}


def rooms():
    return sorted(path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*/__init__.py"))


def modules(room):
    return [path.name for path in (SOURCE / room).glob("*.py") if path.name != "__init__.py"]


@pytest.mark.parametrize("room", [room for room in rooms() if room not in OTHER_SIZES])
def test_a_room_has_three_to_twenty_modules(room):
    assert FEWEST <= len(modules(room)) <= MOST, modules(room)


@pytest.mark.parametrize("room", OTHER_SIZES)
def test_a_room_that_is_excepted_exists_and_needs_the_exception(room):
    assert room in rooms()
    assert not FEWEST <= len(modules(room)) <= MOST


def test_every_module_is_in_a_package():
    assert {path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py")} - {"."} == set(rooms())
