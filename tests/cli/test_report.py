"""``pixmill report``: one page, generated from the ledger."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser

import pytest

from pixmill.testing import sample_images

HOSTILE = [
    "<script>document.title='x'</script>.jpg".replace("/", "_"),
    "red\x1b[31m\nline.jpg",
    '"><img src=x onerror=alert(1)>.jpg',
]


class Page(HTMLParser):
    """What a browser would see: the elements, the values of the tiles, and the text."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)
        self.tiles = {name: unescape(value) for name, value in re.findall(r'data-value="(\w+)">([^<]*)<', text)}

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def count(self, tag):
        return sum(name == tag for name, _ in self.elements)


@pytest.fixture
def made(pixmill, photos, tmp_path):
    """Return a function that reports on a run of the photos and returns the text of the page."""
    pixmill("run", photos, "out", "--size", "32x32")

    def report(*options):
        ended = pixmill("report", "out", "-o", tmp_path / "page.html", *options)
        assert (ended.returncode, ended.stdout) == (0, f"{tmp_path / 'page.html'}\n")
        return (tmp_path / "page.html").read_text("utf-8")

    return report


def test_the_numbers_are_those_of_the_ledger(made, pixmill):
    page = Page(made())
    status = json.loads(pixmill("status", "out", "--json").stdout)
    assert {name: int(page.tiles[name]) for name in ("done", "failed", "pending")} == {
        name: status[name] for name in ("done", "failed", "pending")
    }


def test_it_asks_nothing_of_the_network(made):
    text = made()
    for _, attributes in Page(text).elements:
        for name in ("src", "href", "action", "data", "srcset", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert "default-src 'none'" in unescape(text)
    assert "url(" not in text
    assert "@import" not in text


def test_it_shows_pictures_before_and_after(made):
    page = Page(made())
    assert page.count("img") == 2 * 4
    assert sum(attributes.get("type") == "range" for _, attributes in page.elements) == 4


def test_it_says_what_was_run(made):
    text = made()
    assert "--size 32x32" in text
    assert "&quot;operation&quot;: &quot;resize&quot;" in text
    assert "libvips" in text


def test_the_time_of_each_stage_outlives_the_run_and_a_run_that_had_nothing_to_do(made, pixmill, photos):
    pixmill("run", photos, "out", "--size", "32x32")
    text = made()
    for stage in ("decode", "encode", "queue"):
        assert f'<th scope="row" role="rowheader">{stage}</th><td class="n" role="cell" data-column="images">4</td>' in text


def test_similarity_is_measured_when_it_is_asked_for(made):
    assert "Lowest similarity" not in made()
    text = made("--quality-check", "3")
    assert "SSIM of 3 images" in text


def test_failures_are_listed_by_class_with_what_to_do(pixmill, photos, tmp_path):
    (photos / "empty.jpg").write_bytes(b"")
    whole = (photos / "p0.jpg").read_bytes()
    (photos / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    pixmill("run", photos, "out")
    pixmill("report", "out", "-o", "page.html")
    text = (tmp_path / "page.html").read_text()
    assert re.findall(r'data-code="([\w-]+)">(\d+)<', text) == [("not-an-image", "1"), ("truncated", "1")]
    assert '<th scope="row" role="rowheader">cut.jpg</th>' in text
    assert "--allow-truncated" in text


def test_an_error_that_several_images_share_is_written_once(pixmill, photos, tmp_path):
    whole = (photos / "p0.jpg").read_bytes()
    for name in ("a.jpg", "b.jpg"):
        (photos / name).write_bytes(whole[: len(whole) // 2])
    pixmill("run", photos, "out")
    pixmill("report", "out", "-o", "page.html")
    text = (tmp_path / "page.html").read_text()
    assert text.count("the JPEG is truncated") == 1
    assert "<li>a.jpg</li><li>b.jpg</li>" in text


def pasted(text, command, folder):
    """Return the commands of a page that begin with ``command``, and run the last of them in ``folder``, in a shell."""
    commands = [unescape(each) for each in re.findall(r'<pre class="command"><code>([^<]*)</code>', text)]
    chosen = [each for each in commands if command in each]
    pixmill = f'pixmill() {{ {shlex.quote(sys.executable)} -m pixmill "$@"; }}; '
    script = ["bash", "-c", pixmill + chosen[-1]]
    return chosen, subprocess.run(script, check=False, cwd=folder, capture_output=True, text=True, timeout=120)


def test_each_command_works_when_it_is_pasted_in_another_folder(pixmill, photos, tmp_path):
    output, elsewhere = "it's my out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (photos / "cut.jpg").write_bytes(sample_images.sea()[:-5000])
    pixmill("run", photos, output, "--state", "my state")
    pixmill("report", output, "--state", "my state", "-o", "page.html")
    commands, ended = pasted((tmp_path / "page.html").read_text(), "pixmill retry", elsewhere)
    assert commands[-1].endswith(" --allow-truncated")
    assert (ended.returncode, (tmp_path / output / "cut.jpg").is_file()) == (0, True), ended.stderr
    assert not list(elsewhere.iterdir())


def test_the_commands_for_a_dataset_name_its_folder(pixmill, photos, tmp_path):
    (photos / "bad.jpg").write_bytes(b"no picture")
    pixmill("run", photos, "tar://train")
    pixmill("report", "tar://train", "-o", "page.html")
    commands, ended = pasted((tmp_path / "page.html").read_text(), "pixmill retry", "/")
    assert commands == [f"pixmill retry tar://{tmp_path}/train"]
    assert (ended.returncode, "retrying 1 failed image" in ended.stderr) == (1, True)


def test_a_run_that_ended_early_can_be_continued_by_the_command_on_the_page(pixmill, photos, tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (photos / name).write_bytes(b"no picture")
    assert pixmill("run", photos.name, "out", "--size", "32x32", "--max-failures", "1", "--workers", "1").returncode == 3
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(photos / "p0.jpg", photos / name)
    pixmill("report", "out", "-o", "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "The last run ended early" in text
    commands, ended = pasted(text[: text.index("</header>")], "pixmill run", "/")
    assert commands == [f"cd {tmp_path} && pixmill run {photos.name} out --size 32x32 --max-failures 1 --workers 1"]
    assert ended.returncode == 0, ended.stderr
    pixmill("report", "out", "-o", "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "<h1>All 6 images done</h1>" in text
    assert "command" not in text[text.index("<header>") : text.index("</header>")]


def test_hostile_names_are_inert(pixmill, photos, tmp_path):
    for name in HOSTILE:
        shutil.copy(photos / "p0.jpg", photos / name)
        (photos / f"bad{name}").write_bytes(b"no picture")
    pixmill("run", photos, "out")
    pixmill("report", "out", "-o", "page.html")
    text = (tmp_path / "page.html").read_text()
    page = Page(text)
    assert page.count("script") == 1
    assert not [attributes for _, attributes in page.elements if "onerror" in attributes]
    assert not [character for character in text if not character.isprintable() and character != "\n"]
    assert "\\x1b[31m\\nline.jpg" in text


def test_a_page_of_many_failures_with_long_names_stays_small(pixmill, photos, tmp_path):
    folder = photos / ("d" * 200) / ("e" * 200)
    folder.mkdir(parents=True)
    for number in range(300):
        (folder / f"{'f' * 190}{number:04}.jpg").write_bytes(b"no picture")
    pixmill("run", photos, "out")
    pixmill("report", "out", "-o", "page.html")
    assert (tmp_path / "page.html").stat().st_size < 200_000
    assert 'data-code="not-an-image">300<' in (tmp_path / "page.html").read_text()


def test_a_run_may_end_with_the_page(pixmill, photos, tmp_path):
    ended = pixmill("run", photos, "out", "--report", "page.html", "--quality-check", "2")
    assert ended.returncode == 0
    assert Page((tmp_path / "page.html").read_text()).tiles["done"] == "4"


def test_a_page_that_could_not_be_written_is_refused_before_the_run(pixmill, photos, tmp_path):
    ended = pixmill("run", photos, "out", "--report", "nowhere/page.html")
    assert ended.returncode == 2
    assert "nowhere/page.html cannot be written" in ended.stderr
    assert not (tmp_path / "out").exists()


def test_the_same_ledger_gives_the_same_page_but_for_the_time(made):
    first, second = (re.sub(r"<dt>Report created</dt><dd>[^<]*", "", made()) for _ in range(2))
    assert first == second


def test_pictures_whose_source_is_gone_are_left_out(made, photos):
    shutil.rmtree(photos)
    page = Page(made())
    assert (page.count("img"), page.tiles["done"]) == (0, "4")


def test_where_no_run_has_been_there_is_nothing_to_report(pixmill, tmp_path):
    ended = pixmill("report", tmp_path)
    assert ended.returncode == 2
    assert "no pixmill run found in" in ended.stderr


def test_shards_are_reported_on_as_one(pixmill, photos, tmp_path):
    for shard in ("1/2", "2/2"):
        pixmill("run", photos, "out", "--shard", shard)
    assert pixmill("report", "out", "-o", "page.html").returncode == 0
    text = (tmp_path / "page.html").read_text()
    assert Page(text).tiles["done"] == "4"
    assert "All shards: 4 images in" in text
    assert '<th scope="row" role="rowheader">decode</th><td class="n" role="cell" data-column="images">4</td>' in text
    assert "Run 1 of shard 2/2" in text
