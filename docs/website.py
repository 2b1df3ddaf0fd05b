"""Build the documentation site from the pages of this repository.

Usage: ``python docs/website.py FOLDER [ZENSICAL]``. Pages stay where a code host shows them. This puts copies of them into one
tree, changes links that lead out of ``docs`` to match, and puts a ``#`` before what is said of a command, so that a copied line can
be typed. It adds the pages as Markdown and ``llms.txt``, and lets Zensical build the site strictly: a broken link or anchor is
an error. FOLDER is replaced. Without ZENSICAL, only the tree of copies is written.
"""

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"
CONFIG = DOCS / "website.toml"
#: pages outside docs, and their place in the site
ELSEWHERE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "packages/pixmill-pdf/README.md": "packages/pdf.md",
    "packages/pixmill-raw/README.md": "packages/raw.md",
}
FRONT = "index.md"
FILES = "files"  # the folder of the site for files that pages link to: examples, and rows of benchmarks
MEDIA = {".png", ".svg", ".webp", ".css"}
EVERY_DECISION = '{ "Decisions" = "decisions/*.md" },'
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)`((?:[^`\n|]*[^`\n|\w])?-[^`\n|]*)`(?!`)")  # with an option in it
_ONE_LINE = re.compile(r"\A```(\n[^\n]+\n```)\Z")
_WITH_HYPHEN = re.compile(r"\S*-\S*")
_LINK = re.compile(r"(?<=\]\()([^)#\s]+)(?=[)#\s])")
_EXPLAINED = re.compile(r"^((?:pixmill|docker|pip|make|python3?) .*?\S)( {3,})(?=[^# |])", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->\n*", re.DOTALL)
_ABOUT = """# pixmill

> pixmill resizes, converts and optimises images in bulk, from folders or buckets: thousands to hundreds of millions of them, on
> every core, without losing one. It is a command, a Python library and a container. Read "For coding assistants" first: it has
> the options, exit codes and common mistakes. Each page is Markdown. The whole documentation in one file: llms-full.txt
"""


def placed() -> dict[str, str]:
    """Return the place in the site of every page and picture, by its path in the repository."""
    inside = [path for path in sorted(DOCS.rglob("*")) if path.suffix == ".md" or path.suffix in MEDIA]
    return {path.relative_to(REPOSITORY).as_posix(): path.relative_to(DOCS).as_posix() for path in inside} | ELSEWHERE


def moved(text: str, page: str, places: Mapping[str, str], linked: set[str]) -> str:
    """Return the text of a page with its links as they have to be in the site; add the files that it links to."""
    here = PurePosixPath(places[page]).parent

    def target(found: re.Match[str]) -> str:
        if ":" in found[1]:
            return found[1]
        path = os.path.normpath(f"{PurePosixPath(page).parent}/{found[1]}")
        place = FRONT if path == "README.md" else places.get(path)
        if place is None and (REPOSITORY / path).is_file():
            linked.add(path)
            place = f"{FILES}/{path}"
        return found[1] if place is None else os.path.relpath(place, here)

    return changed(text, lambda prose: _LINK.sub(target, prose), lambda code: _EXPLAINED.sub(r"\1\2# ", code))


def changed(text: str, prose: Callable[[str], str], code: Callable[[str], str]) -> str:
    """Return the text with its fenced blocks changed by ``code``, and everything else by ``prose``."""
    parts, end = [], 0
    for fenced in _FENCED.finditer(text):
        parts += [prose(text[end : fenced.start()]), code(fenced[0])]
        end = fenced.end()
    return "".join([*parts, prose(text[end:])])


def unbroken(text: str) -> str:
    """Return the text of a page, with code as a narrow screen needs it.

    Code within a line becomes HTML that breaks no option at its hyphens. A block of one line gets a class, so that it is wrapped.
    """

    def marked(found: re.Match[str]) -> str:
        words = _WITH_HYPHEN.sub(r"<span>\g<0></span>", html.escape(found[1], quote=False))
        return f"<code>{words}</code>"

    return changed(text, lambda prose: _CODE.sub(marked, prose), lambda code: _ONE_LINE.sub(r"``` { .text .one-line }\1", code))


def write_pages(tree: Path) -> None:
    """Write every page, and every file that a page links to, below ``tree``."""
    places, linked = placed(), set[str]()
    for source, place in places.items():
        path = tree / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            path.write_text(moved((REPOSITORY / source).read_text("utf-8"), source, places, linked), "utf-8")
        else:
            shutil.copyfile(REPOSITORY / source, path)
    for source in linked:
        path = tree / FILES / source
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / source, path)


def configuration() -> str:
    """Return the text of website.toml with every decision in the navigation."""
    text = CONFIG.read_text("utf-8")
    if EVERY_DECISION not in text:
        message = f"{CONFIG} has no line {EVERY_DECISION}"
        raise SystemExit(message)
    records = [DOCS / "decisions" / "README.md", *sorted((DOCS / "decisions").glob("0*.md"))]
    listed = ", ".join(f'"{path.relative_to(DOCS).as_posix()}"' for path in records)
    return text.replace(EVERY_DECISION, f'{{ "Decisions" = [{listed}] }},')


def navigation() -> Iterator[tuple[str, str, str]]:
    """Yield the section, title and file of every page in the navigation, in its order."""
    for entry in tomllib.loads(configuration())["project"]["nav"]:
        for title, below in entry.items():
            yield from _entries(title, title, below)


def _entries(section: str, title: str, below: object) -> Iterator[tuple[str, str, str]]:
    if isinstance(below, str):
        yield section, title, below
    elif isinstance(below, list):
        for entry in below:
            for name, deeper in {"": entry}.items() if isinstance(entry, str) else entry.items():
                yield from _entries(section, name, deeper)


def title_of(text: str) -> str:
    """Return the title of a page."""
    return next(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))


def summary_of(text: str) -> str:
    """Return the first sentence of a page, without its links."""
    body = _FENCED.sub("", _COMMENT.sub("", text))
    first = next((part for part in body.split("\n\n") if re.match(r"[\w`*\"]", part)), "")
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(first.split())).replace("**", "")
    return re.split(r"(?<=[.?!])\s|(?<=:)\s*$", plain)[0].removesuffix(":")


def write_llms(texts: Mapping[str, str], site: Path) -> None:
    """Write every page as Markdown beside its HTML, ``llms.txt``, which lists them, and ``llms-full.txt``, which has them all."""
    lines, section, whole = [_ABOUT], "", []
    for heading, _, file in navigation():
        text = texts[file]
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text(text, "utf-8")
        if file.startswith("decisions/0"):
            continue  # of interest to those who change pixmill
        if heading != section:
            lines.append(f"\n## {heading}\n")
            section = heading
        lines.append(f"- [{title_of(text)}]({file}): {summary_of(text)}")
        whole.append(f"<!-- {file} -->\n\n{text}")
    (site / "llms.txt").write_text("\n".join(lines) + "\n", "utf-8")
    (site / "llms-full.txt").write_text("\n\n".join(whole), "utf-8")


def build(site: Path, zensical: str) -> None:
    """Build the site; a warning ends this program."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_pages(work / "docs")
        texts = {path.relative_to(work / "docs").as_posix(): path.read_text("utf-8") for path in (work / "docs").rglob("*.md")}
        for name, text in texts.items():
            (work / "docs" / name).write_text(unbroken(text), "utf-8")
        (work / "zensical.toml").write_text(configuration(), "utf-8")
        ended = subprocess.run([zensical, "build", "--strict"], cwd=work, capture_output=True, text=True, check=False)
        if ended.returncode != 0 or "Warning" in ended.stdout + ended.stderr:
            raise SystemExit(ended.stdout + ended.stderr)
        write_llms(texts, work / "site")
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(work / "site", site)


def main(arguments: list[str]) -> None:
    """Write the site, or only its pages."""
    match arguments:
        case [folder]:
            write_pages(Path(folder))
        case [folder, zensical]:
            build(Path(folder), str(Path(zensical).absolute()))
            pages = len(list(navigation()))
            print(f"wrote {folder}: {pages} pages")
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
