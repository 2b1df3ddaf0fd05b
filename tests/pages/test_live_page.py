"""The page of a run that goes on, in a real Chromium."""

import json
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest

from support.processes import wait_until

WAIT = 60_000  # milliseconds


def done(page):
    """Wait until everything but the held picture is done."""
    page.locator("dd[data-value=done]").get_by_text("8", exact=True).wait_for(timeout=WAIT)


def pictured(page):
    """Wait until a picture is there too."""
    done(page)
    page.locator("#latest img").first.wait_for(timeout=WAIT)


def becomes(page, expression):
    """Wait until ``expression`` is true. The page's own policy forbids what Playwright would do for that."""
    wait_until(lambda: page.evaluate(expression), seconds=WAIT / 1000)


def test_it_follows_the_run_to_its_end(live, visit_address):
    run = live()
    opened = visit_address(run.url)
    page = opened.page
    pictured(page)
    assert page.locator("progress").get_attribute("value") == "92.3"  # 12 of 13
    page.locator("#working summary").click()
    page.get_by_role("rowheader", name="zz-held.png").wait_for(timeout=WAIT)
    assert page.locator("#working").inner_text().count("transform") == 1
    assert sum(map(int, page.locator("[data-code]").all_inner_texts())) == 4
    assert page.get_by_role("rowheader", name="cut.jpg").first.is_visible()
    becomes(page, "[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    page.locator("#throughput svg rect").first.wait_for(state="attached", timeout=WAIT)
    heights = page.locator("#throughput svg rect").evaluate_all("each => each.map((bar) => bar.getBoundingClientRect().height)")
    assert max(heights) > 10
    run.let_go()
    page.locator(".state").get_by_text("Finished after").wait_for(timeout=WAIT)
    assert page.locator("progress").get_attribute("value") == "100.0"
    assert page.title() == f"pixmill: finished of {run.folder / 'out'}"
    assert "Finished" in page.locator("#spoken").inner_text()
    asked = subprocess.run(
        [sys.executable, "-m", "pixmill", "status", run.folder / "out", "--json"], capture_output=True, check=True, timeout=60
    )
    status = json.loads(asked.stdout)
    shown = {name: int(page.locator(f"dd[data-value={name}]").inner_text()) for name in ("done", "failed", "pending")}
    assert shown == {name: status[name] for name in shown} == {"done": 9, "failed": 4, "pending": 0}
    assert opened.misdeeds == []


def test_what_somebody_opened_moved_or_reads_stays_as_it_is(held, visit_address):
    page = visit_address(held).page
    pictured(page)
    slider = page.locator("#latest .slider input").last
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.locator("#run summary").first.click()
    slider.focus()
    version = page.evaluate("version")
    becomes(page, f"version > {version} + 2")
    assert slider.input_value() == "60"
    assert page.evaluate("document.activeElement.type") == "range"
    assert page.locator("#run details").first.get_attribute("open") is not None


def test_a_picture_that_somebody_enlarged_stays(held, visit_address):
    page = visit_address(held).page
    pictured(page)
    page.locator("#latest .enlarge").first.click()
    width = page.locator("dialog img").first.evaluate("image => image.naturalWidth")
    version = page.evaluate("version")
    becomes(page, f"version > {version} + 2")
    assert page.locator("dialog img").first.evaluate("image => image.naturalWidth") == width > 0
    page.keyboard.press("Escape")
    assert page.locator("dialog").is_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_anybody_out(held, visit_address, axe, scheme):
    page = visit_address(held, color_scheme=scheme, bypass_csp=True).page
    pictured(page)
    assert axe(page) == []
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
    assert axe(page) == []


def test_a_phone_scrolls_only_down_and_everything_can_be_reached_by_keyboard(held, visit_address):
    page = visit_address(held, width=320).page
    done(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    connect = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        connect.add(page.evaluate("document.activeElement.tagName"))
    assert {"A", "INPUT", "SUMMARY"} <= connect


def test_without_script_it_is_the_same_page_and_looks_again(held, visit_address):
    page = visit_address(held, java_script_enabled=False).page
    page.wait_for_selector("dd[data-value=done]:text-is('8')", timeout=WAIT)
    assert page.locator("h2").count() >= 5


def test_from_elsewhere_a_token_opens_it_once_and_a_cookie_from_then_on(live, visit_address):
    run = live("--serve", "0.0.0.0:0")
    said = urllib.parse.urlsplit(run.url)
    address, token = f"http://127.0.0.1:{said.port}/", said.query.removeprefix("token=")
    assert len(token) >= 32
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(address, timeout=10)
    page = visit_address(address + f"?token={token}").page
    assert page.url == address
    done(page)
    assert page.evaluate("document.cookie") == ""  # no script can read it
    assert token not in page.content()


def test_when_the_run_is_killed_the_page_says_that_it_is_gone(live, visit_address):
    run = live()
    page = visit_address(run.url).page
    page.locator("dd[data-value=done]").wait_for(timeout=WAIT)
    run.process.kill()
    page.get_by_role("alert").get_by_text("cannot be reached").wait_for(timeout=WAIT)
    assert page.locator("dd[data-value=done]").is_visible()
