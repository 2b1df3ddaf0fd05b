"""Measure the presets on photographs and drawings, and write the figures that ``pixmill explain presets`` shows.

Usage: ``python benchmarks/presets.py FOLDER``, where FOLDER has the folders ``photos`` with JPEG and ``good`` with PNG. Only bytes
are measured: they depend on the files and the versions of the libraries, not on the machine.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pixmill.batch.config import presets
from pixmill.core.errors import ImageError
from pixmill.imaging.input import Input
from pixmill.imaging.process import process

TARGET = Path(presets.__file__).parent / "recipes" / "figures.toml"
SAMPLES = 24  # of each kind, spread evenly over the sorted files
PHOTOGRAPHS, DRAWINGS = "photographs (JPEG)", "drawings and screenshots (PNG)"
ONLY = {"email": PHOTOGRAPHS, "icons": DRAWINGS}  # what these presets are for
MIN_BYTES, MAX_BYTES = 4_000, 4_000_000


def samples(files: Iterable[Path]) -> list[bytes]:
    """Return the content of a few files of ordinary size."""
    usable = [path for path in sorted(files) if MIN_BYTES <= path.stat().st_size <= MAX_BYTES]
    return [path.read_bytes() for path in usable[:: max(1, len(usable) // SAMPLES)][:SAMPLES]]


def measure(name: str, files: Iterable[bytes]) -> Iterator[tuple[int, int, int]]:
    """Yield the bytes of each source and of its outputs, and the number of these."""
    recipe = presets.recipe_of(name)
    for data in files:
        try:
            outputs = process(Input(data), recipe).outputs
        except ImageError as error:
            print(f"{name}: {error}", file=sys.stderr)
        else:
            yield len(data), sum(len(output.data) for output in outputs), len(outputs)


def sentence(label: str, sizes: list[tuple[int, int, int]]) -> str:
    """Return the figures of one kind of files in words."""
    before, after, count = (sum(each[index] for each in sizes) for index in range(3))
    files = f" in {count} files" if count > len(sizes) else ""
    return f"{len(sizes)} {label}: {before / 1e6:.1f} MB become {after / 1e6:.1f} MB{files} ({after / before:.0%})"


def main(folder: Path) -> None:
    """Measure every preset and write the figures."""
    kinds = {
        PHOTOGRAPHS: samples((folder / "photos").rglob("*.jpg")),
        DRAWINGS: samples((folder / "good").rglob("*.png")),
    }
    lines = ["# Written by benchmarks/presets.py."]
    for name in presets.NAMES:
        wanted = {label: files for label, files in kinds.items() if ONLY.get(name, label) == label}
        parts = [sentence(label, list(measure(name, files))) for label, files in wanted.items()]
        lines.append(f'{name} = "{"; ".join(parts)}"')
        print(lines[-1])
    TARGET.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
