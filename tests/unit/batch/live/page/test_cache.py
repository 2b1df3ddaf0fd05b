import threading
from itertools import count

from pixmill.batch.live.page.cache import REFRESH_INTERVAL, WATCHED_FOR, PageCache
from pixmill.batch.live.page.sections import PageState


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Scene:
    """A page of two parts: one changes with each moment, one never does."""

    def __init__(self):
        self.clock = Clock()
        self.moments = count(1)
        self.made = 0
        self.board = PageCache(self.compose, clock=self.clock)

    def compose(self, is_over):
        self.made = next(self.moments)
        parts = {"head": f"moment {self.made}", "run": "always the same"}
        return PageState(parts=parts if not is_over else {"head": "the end"}, title=str(self.made), spoken="")


def test_many_who_look_within_a_second_see_the_same_moment():
    scene = Scene()
    assert [scene.board.now().parts["head"] for _ in range(5)] == ["moment 1"] * 5
    scene.clock.now += REFRESH_INTERVAL
    assert scene.board.now().parts["head"] == "moment 2"
    assert scene.made == 2


def test_only_what_has_changed_is_told():
    scene = Scene()
    first = scene.board.now()
    assert set(first.parts) == {"head", "run"}
    scene.clock.now += REFRESH_INTERVAL
    second = scene.board.wait_for_change(first.version)
    assert (second.version, second.parts) == (2, {"head": "moment 2"})


def test_a_part_that_is_gone_is_told_as_empty():
    scene = Scene()
    first = scene.board.now()
    scene.board.end()
    assert scene.board.wait_for_change(first.version).parts == {"head": "the end", "run": ""}


def test_the_end_wakes_whoever_waits_and_is_the_last_moment():
    scene = Scene()
    version = scene.board.now().version
    told = []
    waiting = threading.Thread(target=lambda: told.append(scene.board.wait_for_change(version, timeout=60)))
    scene.clock.now -= 30  # the next moment is half a minute away
    waiting.start()
    scene.board.end()
    waiting.join(60)
    assert [each.is_over for each in told] == [True]
    scene.clock.now += 1000
    assert scene.board.now().parts["head"] == "the end"
    assert scene.made == 2


def test_somebody_looks_for_as_long_as_they_ask():
    scene = Scene()
    assert not scene.board.is_watched
    scene.board.now()
    assert scene.board.is_watched
    scene.clock.now += WATCHED_FOR
    assert not scene.board.is_watched
