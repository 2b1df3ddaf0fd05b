"""The table of the corpus: how the run of each file ends, and how far its colours are from those of another program."""

import csv
import os
from pathlib import Path
from typing import NamedTuple

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
TABLE = Path(__file__).parents[1] / "corpus" / "outcomes.tsv"
COLUMNS = ("path", "class", "ending", "deltaE", "PSNR")
#: Whether the table takes over what is found. Only one process may write it: ``ACCEPT_OUTCOMES=1 pytest -n 0``.
IS_ACCEPTED = bool(os.environ.get("ACCEPT_OUTCOMES"))


class Row(NamedTuple):
    """A file: its class in the index, how it ends, the mean CIEDE2000, and the PSNR in decibels; empty if nothing is compared."""

    kind: str
    ending: str
    difference: str = ""
    psnr: str = ""


def indexed() -> dict[str, str]:
    """Return the class of each file of the corpus, by path."""
    with (CORPUS / "INDEX.tsv").open(encoding="utf-8") as file:
        return {row["path"]: row["class"] for row in csv.DictReader(file, delimiter="\t")}


def read() -> dict[str, Row]:
    """Return the rows of the table, by path."""
    with TABLE.open(encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    return {path: Row(*rest) for path, *rest in lines[1:]}


def write(rows: dict[str, Row]) -> None:
    """Replace the table."""
    lines = [COLUMNS, *((path, *rows[path]) for path in sorted(rows))]
    TABLE.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
