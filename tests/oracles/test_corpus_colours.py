"""The colours of each file of the corpus, decoded at full size, are as far from another program's as the table says.

That program is djxl, a browser, or Pillow with LittleCMS. Where they differ by more than a rounding, docs/inputs.md says why.
"""

import shutil
import warnings
import zlib

import pytest

from support import corpus_table
from support.corpus_colours import compare
from support.corpus_table import CORPUS

PARTS = 32
DIFFERENCE, DECIBELS = 0.15, 1.5  # between machines

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here"),
    pytest.mark.skipif(not shutil.which("djxl"), reason="djxl is not installed"),
]


def is_same(row, found):
    if not found or not row.difference:
        return not found and not row.difference
    return abs(float(row.difference) - found[0]) <= DIFFERENCE and abs(int(row.psnr) - found[1]) <= DECIBELS


@pytest.mark.parametrize("part", range(PARTS))
def test_colours_are_as_far_from_those_of_another_program_as_the_table_says(browser, part):
    table, moved = corpus_table.read(), {}
    with browser.new_context() as context, warnings.catch_warnings(action="ignore"):  # Pillow warns of odd files
        page = context.new_page()
        for path in (path for path in table if zlib.crc32(path.encode()) % PARTS == part):
            row = table[path]
            found = compare((CORPUS / path).read_bytes(), page) if row.ending == "done" else None
            if not is_same(row, found):
                difference, psnr = found or ("", "")
                moved[path] = row._replace(difference=str(difference), psnr=str(psnr))
    if corpus_table.IS_ACCEPTED:
        corpus_table.write(table | moved)
    else:
        assert {path: (tuple(table[path]), tuple(row)) for path, row in moved.items()} == {}
