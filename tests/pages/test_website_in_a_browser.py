"""The documentation site in a real Chromium: it is searched, is read in the dark and on a phone, and asks no other server."""

import pytest

PHONE = 390
WIDE_PAGES = ("", "howto/", "commands/", "reference/options/", "inputs/", "benchmarks/")


@pytest.fixture
def open_page(visit_address, website_address):
    return lambda path="", **choices: visit_address(website_address + path, **choices)


def test_nothing_is_asked_of_another_server(visit_address, website_address):
    opened = visit_address(website_address)
    opened.page.wait_for_load_state("networkidle")
    assert opened.misdeeds == []


def test_the_search_finds_an_option(open_page):
    page = open_page("commands/").page
    page.wait_for_load_state("networkidle")
    page.keyboard.press("/")
    page.locator("input:focus").fill("portable-names")
    page.locator("a[href*='/names/?']").first.click()
    page.wait_for_url("**/names/**")


def test_it_is_dark_where_the_system_is_and_can_be_switched(open_page):
    page = open_page(color_scheme="dark").page
    assert scheme(page) == "slate"
    dark = background(page)
    page.locator("label[for=__palette_1]:visible").click()
    assert scheme(page) == "default"
    assert background(page) != dark


def scheme(page):
    return page.locator("body").get_attribute("data-md-color-scheme")


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("path", WIDE_PAGES)
def test_a_page_fits_on_a_phone(path, open_page):
    page = open_page(path, width=PHONE).page
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_keeps_somebody_out(scheme, open_page, axe):
    page = open_page("python-api/", color_scheme=scheme).page
    page.wait_for_load_state("networkidle")
    of_the_theme = {"landmark-unique", "empty-table-header"}  # unnamed navigation of code, and columns without a title
    assert [found for found in axe(page) if found[0] not in of_the_theme] == []
