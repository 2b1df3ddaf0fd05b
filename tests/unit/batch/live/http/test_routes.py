import pytest

from pixmill.batch.live.http.access import AccessControl
from pixmill.batch.live.http.routes import Request, Routes
from pixmill.batch.live.page.cache import PageCache
from pixmill.batch.live.page.sections import PageState
from pixmill.batch.live.preview_feed import NumberedPreview
from pixmill.batch.report.data.statistics import ImageSummary
from pixmill.batch.report.previews.messages import Preview
from pixmill.core.endpoint import Endpoint

PICTURE = ImageSummary(
    key=b"a.jpg", output=b"a.jpg", rendition="", format="jpeg", width=1, height=1, seconds=0.1, bytes_in=2, bytes_out=1
)


class House:
    """A site with one picture, and trouble when there is some."""

    def __init__(self, token=""):
        self.trouble = ""
        board = PageCache(lambda _: PageState(parts={"head": "<h1>here</h1>"}, title="t", spoken=""), clock=lambda: 0.0)
        self.site = Routes(
            AccessControl(Endpoint(8642), token=token),
            board,
            previews=lambda: (NumberedPreview(7, Preview(PICTURE, b"before", b"after", None)),),
            metrics=lambda: "pixmill_images_total 4\n",
            unhealthy_reason=lambda: self.trouble,
        )

    def ask(self, target, method="GET", host="127.0.0.1:8642", **headers):
        return self.site.respond(Request(method=method, target=target, headers={"host": host, **headers}))


def test_every_address_has_its_answer():
    ask = House().ask
    assert "<h1>here</h1>" in ask("/").body.decode()
    assert b'"head":"<h1>here</h1>"' in ask("/state?after=-1").body
    assert ask("/metrics").body == b"pixmill_images_total 4\n"
    assert (ask("/pictures/7/before").body, ask("/pictures/7/after").body) == (b"before", b"after")
    assert ask("/healthz").body == b"ok\n"


@pytest.mark.parametrize(
    "target",
    [
        "/nothing",
        "/pictures/8/after",
        "/pictures/7/both",
        "/pictures/7",
        "/pictures/x/after",
        "//",
        "/../etc/passwd",
        "",
        "*",
        "/index.html",
    ],
)
def test_there_is_nothing_else(target):
    assert House().ask(target).status == 404


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 400, "\u0661"])
def test_a_version_that_makes_no_sense_is_before_all(after):
    assert House().ask(f"/state?after={after}").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(method):
    refused = House().ask("/", method)
    assert refused.status == 405
    assert ("Allow", "GET, HEAD") in refused.headers


def test_a_name_that_is_not_ours_is_refused_before_anything_else():
    assert House().ask("/healthz", host="evil.example").status == 421


@pytest.mark.parametrize("target", ["/", "/state", "/metrics", "/pictures/7/after", "/nothing", "/?token=wrong"])
def test_nothing_is_told_to_a_stranger(target):
    refused = House(token="secret").ask(target)
    assert refused.status == 401
    assert b"secret" not in refused.body


def test_the_token_is_changed_for_a_cookie_that_no_script_and_no_other_site_can_use():
    house = House(token="secret")
    admitted = house.ask("/?token=secret")
    headers = dict(admitted.headers)
    assert (admitted.status, headers["Location"], admitted.body) == (303, "./", b"")
    assert headers["Set-Cookie"] == "pixmill-8642=secret; HttpOnly; SameSite=Strict; Path=/"
    assert house.ask("/", cookie="pixmill-8642=secret").status == 200
    assert house.ask("/metrics", authorization="Bearer secret").status == 200


def test_what_is_asked_never_comes_back_in_a_header():
    split = House(token="secret").ask("/?token=x%0d%0aSet-Cookie:%20a=b", cookie="pixmill-8642=secret")
    assert not [value for _, value in split.headers if "\r" in value or "a=b" in value]


def test_health_needs_no_token_and_says_what_is_wrong():
    house = House(token="secret")
    assert house.ask("/healthz").status == 200
    house.trouble = "nothing has finished for 60 s"
    assert (house.ask("/healthz").status, house.ask("/healthz").body) == (503, b"nothing has finished for 60 s\n")


def test_every_answer_forbids_what_the_page_does_not_need():
    for answer in (House().ask("/"), House().ask("/nothing"), House(token="x").ask("/")):
        headers = dict(answer.headers)
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
