"""The documentation site, built as ``make site`` builds it: every link leads somewhere, and every page can be found."""

import json
import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

from support.website import REPOSITORY, Page, generator

FILES = (
    "CHANGELOG.md",
    "docs",
    "packages",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE",
    "README.md",
    "examples",
    "benchmarks/runs",
)
MARKDOWN_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


@pytest.fixture(scope="module")
def pages(website):
    return {path: Page(path) for path in website.rglob("*.html") if path.name != "404.html"}


def leads_to(site, page, address):
    """Return the file and the anchor of an address on a page, or none if it leads to another server."""
    here = "http://site/" + page.path.relative_to(site).as_posix()
    target, anchor = urldefrag(urljoin(here, address))
    parts = urlsplit(target)
    if parts.netloc != "site":
        return None
    path = site / unquote(parts.path).lstrip("/")
    return (path / "index.html" if parts.path.endswith("/") else path), unquote(anchor)


def test_every_link_and_anchor_leads_somewhere(website, pages):
    broken, checked = [], 0
    for page in pages.values():
        for _, address in page.links:
            if found := leads_to(website, page, address):
                path, anchor = found
                checked += 1
                known = pages[path].anchors if path in pages else set()
                if not path.is_file() or (anchor and path.suffix == ".html" and anchor not in known | {"__toc"}):
                    broken.append(f"{page.path.relative_to(website)}: {address}")
    assert not broken, "\n".join(["", *sorted(set(broken))])
    assert checked > 3000


def test_nothing_is_loaded_from_another_server(website, pages):
    foreign = {(tag, url) for page in pages.values() for tag, url in page.links if tag != "a" and not leads_to(website, page, url)}
    assert not {url for _, url in foreign if not url.startswith("data:")}
    for sheet in website.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", sheet.read_text("utf-8")), sheet.name


def test_every_page_is_in_the_navigation_once():
    site = generator()
    listed = [file for _, _, file in site.navigation()]
    assert sorted(listed) == sorted(place for place in site.placed().values() if place.endswith(".md"))


def test_every_page_is_in_the_search_index(website):
    found = {item["location"].partition("#")[0] for item in json.loads((website / "search.json").read_text("utf-8"))["items"]}
    for _, _, file in generator().navigation():
        address = re.sub(r"(?:(?:^|(?<=/))(?:index|README))?\.md$", "/", file).removeprefix("/").replace("//", "/")
        assert address in found, file


def test_every_page_is_there_as_markdown_and_its_links_lead_somewhere(website):
    listed = re.findall(r"^- \[[^\]]+\]\(([^)]+)\): \S", (website / "llms.txt").read_text("utf-8"), re.MULTILINE)
    expected = [file for _, _, file in generator().navigation() if not file.startswith("decisions/0")]
    assert listed == expected
    for name in listed:
        text = re.sub(r"^```.*?^```$", "", (website / name).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        for target in MARKDOWN_LINK.findall(text):
            assert ":" in target or (website / name).parent.joinpath(target).is_file(), f"{name}: {target}"


def test_no_list_or_table_is_shown_as_text(pages):
    shown = re.compile(r"^(?:- |\d+\. |\| )", re.MULTILINE)
    found = [(path.parent.name, text) for path, page in pages.items() for text in page.paragraphs if shown.search(text)]
    assert not found, "put an empty line before a list"


def test_files_that_are_no_pages_stay_out(website):
    assert not list(website.rglob("website.toml")) + list(website.rglob("inputs.toml"))
    linked = {path.relative_to(website).parts[:2] for path in website.rglob("*.py")}
    assert linked == {("files", "examples"), ("files", "packages")}


def test_every_broken_link_is_named_and_ends_the_build(tmp_path, built):
    repository = copy_of_the_pages(tmp_path)
    with (repository / "docs" / "watch.md").open("a") as page:
        page.write("\n[x](no-such-page.md) [y](commands.md#no-such-heading) [z](#no-such-heading)\n")
    ended = built(tmp_path / "site", repository)
    assert ended.returncode != 0
    assert "3 issues found" in ended.stderr
    assert not (tmp_path / "site").exists()


def copy_of_the_pages(folder: Path) -> Path:
    repository = folder / "repository"
    for name in FILES:
        source, target = REPOSITORY / name, repository / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
    return repository
