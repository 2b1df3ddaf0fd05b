"""Pictures in a Parquet file by locator: in any order, with limits, and not of a file that was changed."""

from random import Random
from urllib.parse import quote

import pytest

from pixmill.core.errors import AddressError, ReadError, RunError
from pixmill.storage.open import open_storage
from pixmill.storage.schemes.parquet import file_version, picture_locator

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
CONTENT = [Random(number).randbytes(100 + number) for number in range(23)]


@pytest.fixture(params=["jpg", "image.bytes"])
def column(request):
    return request.param


@pytest.fixture
def path(tmp_path, column):
    path = tmp_path / "part #1.parquet"
    values = CONTENT if column == "jpg" else [{"bytes": each, "path": "a"} for each in CONTENT]
    table = pyarrow.table({column.partition(".")[0]: [*values, None], "label": list(range(24))})
    parquet.write_table(table, path, row_group_size=7)
    return path


def locator(path, column, row):
    return picture_locator(row, column, file_version(bytes(path)))


def opened(path):
    return open_storage(f"parquet://{quote(str(path))}")


@pytest.mark.parametrize("order", [range(23), range(22, -1, -1), Random(1).sample(range(23), 23)], ids=["forward", "back", "mixed"])
def test_every_row_is_read_in_any_order(path, column, order):
    storage = opened(path)
    assert [storage.read(locator(path, column, row), limit=1000) for row in order] == [CONTENT[row] for row in order]
    assert storage.head(locator(path, column, 3), 10) == CONTENT[3][:10]


def test_a_row_without_a_picture_and_one_that_is_too_large_say_so(path, column):
    storage = opened(path)
    with pytest.raises(ReadError, match=r"row 23 of .* has no picture"):
        storage.read(locator(path, column, 23), limit=1000)
    with pytest.raises(ReadError) as raised:
        storage.read(locator(path, column, 20), limit=100)
    assert raised.value.code == "limit-bytes"
    with pytest.raises(ReadError, match="could not be read"):
        storage.read(locator(path, column, 24), limit=1000)


def test_a_file_that_was_changed_after_its_listing_is_not_read(path, column):
    before = locator(path, column, 0)
    parquet.write_table(pyarrow.table({"jpg": [b"another"]}), path)
    with pytest.raises(ReadError, match="was changed after it was listed"):
        opened(path).read(before, limit=1000)


def test_it_is_only_read_and_only_by_locator(path, column):
    storage = opened(path)
    assert storage.file_of(locator(path, column, 0)) == bytes(path)
    assert storage.local_path(locator(path, column, 0)) is None
    with pytest.raises(RunError, match="only reads"):
        storage.write(b"a", b"", durable=False)
    with pytest.raises(AddressError):
        list(storage.list())
    with pytest.raises(AddressError, match="locator"):
        storage.read(b"a.jpg", limit=10)


def test_what_is_no_parquet_file_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"no table")
    with pytest.raises(AddressError, match="cannot be read as Parquet"):
        opened(tmp_path / "a.parquet")
