"""Record the terminal of the README: a real run in a pseudo terminal, as an animated SVG for light and dark schemes.

python docs/images/terminal.py [FOLDER]

FOLDER has the photographs, to which one damaged file is added; without it, the sample images are used. It needs tmux.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from colorsys import rgb_to_hls
from html import escape
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pixmill.testing.sample_images import write_samples

COMMAND = "pixmill run photos small --size 800x600 --format webp"
COLUMNS, ROWS = 98, 22
CELL, LINE, MARGIN, TITLE = 8.43, 19, 18, 26  # pixels
END = "-- end --"
SECONDS, INTERVAL, HOLD = 600, 0.25, 8  # the longest run, between two frames, and how long the last frame stays
COLOURS = {  # on light and on dark ground; the first six are 60 degrees of hue apart
    "red": ("#b3261e", "#ff8a80"),
    "yellow": ("#8a5a00", "#e3b341"),
    "green": ("#1a7f37", "#7ee787"),
    "cyan": ("#0f6b75", "#76e3ea"),
    "blue": ("#0550ae", "#79c0ff"),
    "magenta": ("#8250df", "#d2a8ff"),
    "faint": ("#59636e", "#9198a1"),
    "ink": ("#1f2328", "#e6edf3"),
}
PAPER, FRAME = ("#f6f8fa", "#0d1117"), ("#d0d7de", "#30363d")
Frame = tuple[float, str]


def prepare(desk: Path, photographs: Path | None) -> None:
    """Write the folder ``photos`` with one damaged file to ``desk``, and the command to ``desk/bin``."""
    photos = desk / "photos"
    if photographs is None:
        write_samples(photos)
    else:
        shutil.copytree(photographs, photos)
    first = min(path for path in photos.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg"})
    (photos / "damaged.jpg").write_bytes(first.read_bytes()[: first.stat().st_size // 2])
    (desk / "bin").mkdir()
    (desk / "bin" / "pixmill").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pixmill "$@"\n')
    (desk / "bin" / "pixmill").chmod(0o755)


def record(desk: Path) -> list[Frame]:
    """Type the command in a terminal; return the screens that it showed, with colours, each with its time in seconds."""
    tmux = ["tmux", "-L", f"pixmill-{uuid.uuid4().hex}", "-f", "/dev/null"]
    names = ("COLUMNS", "LINES", "TMUX", "STY", "CI", "NO_COLOR")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment |= {"PATH": f"{desk / 'bin'}{os.pathsep}{os.environ['PATH']}", "LANG": "C.UTF-8", "COLORTERM": ""}
    line = f"cd {shlex.quote(str(desk))}; {COMMAND}; echo '{END}'; read forever"
    subprocess.run([*tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), line], check=True, env=environment)
    begun, frames = time.monotonic(), [(0.0, "")]
    try:
        while END not in frames[-1][1] and time.monotonic() < begun + SECONDS:
            time.sleep(INTERVAL)
            shown = subprocess.run([*tmux, "capture-pane", "-e", "-p"], check=True, capture_output=True, text=True).stdout
            if shown.rstrip() != frames[-1][1]:
                frames.append((time.monotonic() - begun, shown.rstrip()))
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)
    return [(at, screen.partition(END)[0].rstrip()) for at, screen in frames]


def drawing(frames: list[Frame]) -> str:
    """Return an SVG that shows the frames one after the other; still pictures and readers without motion show the last one."""
    rows = 1 + max(len(screen.splitlines()) for _, screen in frames)
    width, height = COLUMNS * CELL + 2 * MARGIN, rows * LINE + TITLE + 1.5 * MARGIN
    length = frames[-1][0] + HOLD
    ends = [at for at, _ in frames[1:]] + [length]
    groups, motions = [], []
    for number, ((start, screen), end) in enumerate(zip(frames, ends, strict=True)):
        groups.append(f'<g class="frame" id="f{number}">\n{_rows(screen)}\n</g>')
        motions.append(f"#f{number} {{ animation: f{number} {length:.2f}s step-end infinite }}")
        shown = [f"{100 * start / length:.3f}% {{ opacity: 1 }}", f"{100 * end / length:.3f}% {{ opacity: 0 }}"]
        motions.append(f"@keyframes f{number} {{ 0% {{ opacity: {int(start == 0)} }} {' '.join(shown)} }}")
    motion = "\n".join(motions)
    dots = "".join(f'<circle class="faint" cx="{MARGIN + 5 + 16 * number}" cy="18" r="5"/>' for number in range(3))
    box = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {box} role="img">
<title>{escape(COMMAND)}</title>
<style>
{_styles(0)}
@media (prefers-color-scheme: dark) {{
{_styles(1)}
}}
text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }}
.bold {{ font-weight: 600 }}
.frame {{ opacity: 0 }}
#f{len(frames) - 1} {{ opacity: 1 }}
@media (prefers-reduced-motion: no-preference) {{
{motion}
}}
</style>
<rect class="paper" x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>
{dots}
{_row(Text.assemble(("$ ", "dim"), (COMMAND, "bold")), 0)}
{chr(10).join(groups)}
</svg>
"""


def _styles(scheme: int) -> str:
    rules = [f".{name} {{ fill: {pair[scheme]} }}" for name, pair in COLOURS.items()]
    return "\n".join([*rules, f".paper {{ fill: {PAPER[scheme]}; stroke: {FRAME[scheme]} }}"])


def _rows(screen: str) -> str:
    return "\n".join(_row(Text.from_ansi(line), number) for number, line in enumerate(screen.splitlines(), 1) if line)


def _row(row: Text, number: int) -> str:
    """Return the elements of one line: each run of one style at its own place and with its own width, whatever the font is."""
    plain, y = row.plain, TITLE + MARGIN + number * LINE
    parts = []
    for classes, places in groupby(range(len(plain)), lambda place: _classes(row, place)):
        run = list(places)
        text = plain[run[0] : run[-1] + 1]
        if text.strip():
            at = f'x="{MARGIN + run[0] * CELL:.1f}" y="{y:g}" textLength="{len(text) * CELL:.1f}"'
            parts.append(f'<text class="{classes}" {at}>{escape(text)}</text>')
    return "".join(parts)


def _classes(row: Text, place: int) -> str:
    style = row.get_style_at_offset(Console(), place)
    is_default = style.color is None or style.color.is_default
    colour = "ink" if is_default else _nearest(style.color.get_truecolor())
    return f"{'faint' if style.dim else colour} bold" if style.bold else "faint" if style.dim else colour


def _nearest(colour: tuple[int, int, int]) -> str:
    """Return the name in ``COLOURS`` with the hue of ``colour``."""
    hue, _, saturation = rgb_to_hls(*(value / 255 for value in colour))
    if saturation < 0.15:  # noqa: PLR2004  # gray
        return "faint"
    return list(COLOURS)[round(hue * 6) % 6]


def main() -> None:
    """Write terminal.svg beside this script."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), Path(sys.argv[1]).absolute() if sys.argv[1:] else None)
        frames = record(Path(folder))
    Path(__file__).with_name("terminal.svg").write_text(drawing(frames), "utf-8")
    print(f"terminal.svg: {len(frames)} frames, {frames[-1][0]:.1f} s")


if __name__ == "__main__":
    main()
