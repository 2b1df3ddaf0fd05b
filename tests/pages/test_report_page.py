"""The report in a real Chromium."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def test_nothing_leaves_the_page_and_nothing_hostile_acts(visit):
    opened = visit()
    opened.page.wait_for_load_state("networkidle")
    assert opened.misdeeds == []
    assert opened.page.title().startswith("pixmill: ")


def test_the_numbers_equal_the_ledgers(visit, output):
    asked = subprocess.run(
        [sys.executable, "-m", "pixmill", "status", output, "--json"], capture_output=True, check=True, timeout=60
    )
    status = json.loads(asked.stdout)
    page = visit().page
    shown = {name: int(page.locator(f"dd[data-value={name}]").inner_text()) for name in ("done", "failed", "pending")}
    assert shown == {name: status[name] for name in shown}
    assert sum(map(int, page.locator("[data-code]").all_inner_texts())) == status["failed"]


def test_the_failures_are_listed_by_class(visit):
    page = visit().page
    codes = [element.get_attribute("data-code") for element in page.locator("[data-code]").all()]
    assert codes == ["not-an-image", "truncated"]
    assert page.get_by_role("rowheader", name="cut.jpg").first.is_visible()


def test_every_picture_is_decoded(visit):
    page = visit().page
    page.wait_for_function("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert page.locator("img").count() >= 2 * 8


def test_the_slider_moves_the_edge_by_mouse_and_by_key(visit):
    page = visit().page
    slider = page.locator("#pictures .slider input").first
    before = page.locator("#pictures .slider .before").first

    def seen():
        return before.evaluate("image => getComputedStyle(image).clipPath")

    halves = seen()
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert slider.input_value() == "60"
    moved = seen()
    assert moved != halves
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 5, box["y"] + box["height"] / 2)
    assert seen() not in (halves, moved)


def test_the_charts_have_data(visit):
    page = visit().page
    for part in ("throughput", "sizes", "stages"):
        heights = page.locator(f"#{part} svg rect").evaluate_all("each => each.map((bar) => bar.getBoundingClientRect().height)")
        assert max(heights) > 10
    assert page.locator("#stages svg rect").count() == page.locator("#stages .keys li").count() >= 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_anybody_out(visit, scheme, axe):
    opened = visit(color_scheme=scheme, bypass_csp=True)  # axe is a script of its own
    opened.page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
    assert axe(opened.page) == []


def test_dark_and_light_differ(visit):
    colours = {
        scheme: visit(color_scheme=scheme).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    }
    assert colours["light"] != colours["dark"]


@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_phone_scrolls_only_down(visit, width):
    page = visit(width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_prints_with_everything_unfolded(visit, tmp_path: Path):
    page = visit().page
    page.locator("details").first.wait_for(state="attached")
    assert page.locator("details:not([open])").count() > 0
    page.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").stat().st_size > 10_000
    assert page.locator("details:not([open])").count() == 0


def test_everything_can_be_reached_by_keyboard(visit):
    page = visit().page
    connect = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        connect.add(page.evaluate("document.activeElement.tagName"))
    assert {"A", "INPUT", "SUMMARY"} <= connect
