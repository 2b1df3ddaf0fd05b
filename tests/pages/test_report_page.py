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


def test_a_click_enlarges_a_picture_and_another_shows_it_pixel_by_pixel(visit):
    page = visit(width=500).page
    name = page.locator("#pictures figcaption strong").first.inner_text()
    page.locator("#pictures .enlarge").first.click()
    after = page.locator("dialog .after")
    assert page.locator("dialog figcaption strong").inner_text() == name
    width = after.evaluate("image => image.naturalWidth")
    assert f", {width} x " in page.locator("dialog figcaption span").inner_text(), "as wide as the output"
    assert after.bounding_box()["width"] < 500
    page.locator("dialog .enlarge").click()
    assert after.bounding_box()["width"] == page.locator("dialog .before").bounding_box()["width"] == width
    page.keyboard.press("Escape")
    assert page.locator("dialog").is_hidden()
    page.locator("#pictures .enlarge").nth(1).press("Enter")
    page.get_by_role("button", name="Close").click()
    assert page.locator("dialog").is_hidden()


def test_no_title_is_repeated(visit):
    page = visit().page
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
    titles = page.locator("h1, h2, caption:not(.unseen), section details details summary").all_inner_texts()
    assert len(titles) > 10
    assert len(titles) == len(set(titles))


def test_numbers_for_engineers_are_folded(visit):
    page = visit().page
    folded = page.locator("section:has(> details:not([open]) > summary > h2)").evaluate_all(
        "each => each.map((section) => section.id)"
    )
    assert folded == ["throughput", "stages", "extremes", "run"]


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
    opened.page.locator(".enlarge").first.click()
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
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cells = page.locator("td, th[scope=row]")
    assert cells.count() > 100
    assert max(cells.evaluate_all("each => each.map((cell) => cell.getBoundingClientRect().right)")) <= width


@pytest.mark.parametrize("width", [320, 1200])
def test_every_label_is_large_enough_to_read(visit, width):
    page = visit(width=width).page
    assert page.locator("svg text").count() == 0, "text in a drawing shrinks with it"
    sizes = page.locator("body *").evaluate_all("each => each.map((element) => parseFloat(getComputedStyle(element).fontSize))")
    assert min(sizes) >= 12


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
