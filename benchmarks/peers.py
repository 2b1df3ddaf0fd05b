"""The measured tools: pixmill, its codec calls alone, and the alternatives, each used as its authors recommend."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from installing import Bench
from scenario import Scenario

HERE = Path(__file__).parent / "scripts"


class Job(msgspec.Struct, frozen=True):
    """One run of one peer."""

    scenario: Scenario
    source: Path
    target: Path
    workers: int

    @property
    def specification(self) -> str:
        """Return the description of the outputs, for the programs in ``scripts``."""
        outputs = {"boxes": self.scenario.boxes, "format": self.scenario.format, "quality": self.scenario.quality}
        return json.dumps(outputs)


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """One measured tool. ``command`` returns its command line; ``install`` installs it and returns its version, or raises.

    ``formats`` are the formats that it writes. A ``special`` peer is measured only in scenarios that name it. An ``unhurried``
    peer gets the smaller number of files. A peer that is not ``scored`` makes different images, for example without applying
    the orientation.
    """

    name: str
    label: str
    install: Callable[[Bench], str]
    command: Callable[[Bench, Job], list[str]]
    environment: Callable[[Bench], Mapping[str, str]] = lambda _: {}
    formats: tuple[str, ...] = ("jpeg", "webp", "png", "avif")
    special: bool = False
    unhurried: bool = False
    without: tuple[str, ...] = ()
    scored: bool = True

    def takes_part(self, scenario: Scenario) -> bool:
        """Return whether the peer is measured in ``scenario``."""
        if scenario.peers:
            return self.name in scenario.peers
        return (
            scenario.format in self.formats
            and scenario.name not in self.without
            and (not self.special or self.name in scenario.also)
        )


def _pixmill(*options: str) -> Callable[[Bench, Job], list[str]]:
    def command(bench: Bench, job: Job) -> list[str]:
        del bench
        scenario = job.scenario
        recipe = job.target.with_suffix(".toml")
        recipe.write_text(_recipe(scenario), "utf-8")
        limits = ["--max-pixels", "1GP", "--max-source-bytes", "2GB", "--timeout", "10m"] if scenario.images == "huge" else []
        program = str(Path(sys.executable).with_name("pixmill"))
        return [
            program, "run", str(job.source), str(job.target), "--recipe", str(recipe), *limits,
            "--workers", str(job.workers), "--progress", "none", "--metrics-file", str(job.target.with_suffix(".json")), *options,
        ]  # fmt: skip

    return command


def _recipe(scenario: Scenario) -> str:
    """Return the recipe of ``scenario``, with a rendition for each box."""
    quality = f", quality = {scenario.quality}" if scenario.quality else ""
    renditions = (
        f"""[[renditions]]
name = "{width if len(scenario.boxes) > 1 else ""}"
steps = [{{ operation = "resize", width = {width}, height = {height} }}]
encode = {{ format = "{scenario.format}"{quality} }}
"""
        for width, height in scenario.boxes
    )
    return "\n".join(renditions)


def _script(name: str, venv: str, workers: int | None = None) -> Callable[[Bench, Job], list[str]]:
    def command(bench: Bench, job: Job) -> list[str]:
        count = str(workers or job.workers)
        return [bench.python(venv), str(HERE / name), str(job.source), str(job.target), job.specification, count]

    return command


def _sharp(bench: Bench, job: Job) -> list[str]:
    del bench
    return ["node", str(HERE / "sharp.mjs"), str(job.source), str(job.target), job.specification, str(job.workers)]


def _tool(name: str) -> Callable[[Bench, Job], list[str]]:
    def command(bench: Bench, job: Job) -> list[str]:
        del bench
        boxes = [f"{width}x{height}" for width, height in job.scenario.boxes]
        quality = str(job.scenario.quality or 65)  # of PNG: zlib level 6, adaptive filter 5
        return [
            "sh",
            str(HERE / "in_batches.sh"),
            name,
            str(job.source),
            str(job.target),
            job.scenario.format,
            quality,
            str(job.workers),
            *boxes,
        ]

    return command


PEERS = (
    Peer(name="pixmill", label="pixmill", install=Bench.pixmill, command=_pixmill()),
    Peer(name="pixmill-1", label="pixmill, 1 worker", install=Bench.pixmill, command=_pixmill("--workers", "1"), special=True),
    Peer(
        name="pixmill-vips", label="pixmill --engine vips", install=Bench.pixmill,
        command=_pixmill("--engine", "vips"), special=True,
    ),
    Peer(
        name="pixmill-none", label="pixmill --durability none", install=Bench.pixmill,
        command=_pixmill("--durability", "none"), special=True,
    ),
    Peer(
        name="bare", label="codec calls only, one process per core", install=Bench.pixmill,
        command=_script("bare_loop.py", "pixmill"), special=True, scored=False,
    ),
    Peer(
        name="bare-1", label="codec calls only, 1 process", install=Bench.pixmill,
        command=_script("bare_loop.py", "pixmill", 1), special=True, scored=False,
    ),
    Peer(
        name="sharp", label="sharp", install=Bench.sharp, command=_sharp,
        environment=lambda bench: {"SHARP_HOME": str(bench.sharp_home), "UV_THREADPOOL_SIZE": "8"},
    ),
    Peer(
        name="pyvips", label="pyvips, process pool", install=lambda bench: bench.venv("pyvips", "pyvips"),
        command=_script("pyvips_pool.py", "pyvips"),
    ),
    Peer(
        name="opencv", label="OpenCV, process pool", install=lambda bench: bench.venv("opencv", "opencv-python-headless"),
        command=_script("opencv_pool.py", "opencv"), formats=("jpeg", "webp", "png"), without=("huge",),
    ),
    Peer(
        name="pillow-simd", label="pillow-simd (AVX2), process pool", install=Bench.pillow_simd,
        command=_script("pillow_script.py", "pillow-simd"), formats=("jpeg", "webp", "png"), unhurried=True,
    ),
    Peer(
        name="pillow", label="Pillow, process pool", install=lambda bench: bench.venv("pillow", "pillow"),
        command=_script("pillow_script.py", "pillow"), unhurried=True,
    ),
    Peer(
        name="pillow-1", label="Pillow, sequential", install=lambda bench: bench.venv("pillow", "pillow"),
        command=_script("pillow_script.py", "pillow", 1), unhurried=True,
    ),
    Peer(
        name="vipsthumbnail", label="vipsthumbnail, xargs -P",
        install=lambda bench: bench.program("vipsthumbnail", "libvips-tools"),
        command=_tool("vipsthumbnail"), unhurried=True,
    ),
    Peer(
        name="imagemagick", label="ImageMagick, xargs -P", install=lambda bench: bench.program("mogrify", "imagemagick"),
        command=_tool("magick"), formats=("jpeg", "webp", "png"), without=("five-widths", "huge"), unhurried=True,
    ),
    Peer(
        name="graphicsmagick", label="GraphicsMagick, xargs -P", install=lambda bench: bench.program("gm", "graphicsmagick"),
        command=_tool("graphicsmagick"), formats=("jpeg", "webp", "png"), without=("five-widths", "huge"), unhurried=True,
    ),
)  # fmt: skip
