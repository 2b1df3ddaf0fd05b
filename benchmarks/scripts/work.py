"""Shared by all peers written in Python: the list of orders, and a pool that executes them on every core."""

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

Pair = tuple[int, int]


class Order(NamedTuple):
    """One source and its outputs: a path for each box."""

    source: str
    outputs: tuple[tuple[Pair, str], ...]
    format: str
    quality: int


def orders(source: Path, target: Path, spec: dict[str, object]) -> Iterator[Order]:
    """Yield an order for each image below ``source``."""
    boxes = [(width, height) for width, height in spec["boxes"]]
    for path in sorted(source.rglob("*.*")):
        folder = target / path.parent.relative_to(source)
        folder.mkdir(parents=True, exist_ok=True)
        outputs = tuple((box, str(folder / f"{path.stem}-{box[0]}.{spec['format']}")) for box in boxes)
        yield Order(str(path), outputs, str(spec["format"]), int(spec["quality"]))


def main(make: Callable[[Order], None]) -> None:
    """Call ``make`` for each image: sequentially with one worker, otherwise in a process pool."""
    source, target, spec, workers = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]), int(sys.argv[4])
    todo = list(orders(source, target, spec))
    if workers == 1:
        for order in todo:
            make(order)
        return
    with ProcessPoolExecutor(workers) as pool:
        for _ in pool.map(make, todo, chunksize=max(1, min(16, len(todo) // (8 * workers)))):
            pass
