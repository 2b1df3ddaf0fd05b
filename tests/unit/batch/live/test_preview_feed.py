"""Pictures by a real worker, of real files."""

import os
import time

import pytest

from pixmill.batch.config.models import RunConfig
from pixmill.batch.live.live_page import preview_options
from pixmill.batch.live.preview_feed import CPU_SHARE, MAX_PREVIEWS, WORKER_START_CPU, PreviewFeed
from pixmill.batch.report.data.statistics import ImageSummary
from pixmill.testing import sample_images
from support.processes import children, wait_until

STEP = 25.0  # seconds, short enough for the worker to stay


@pytest.fixture
def place(tmp_path):
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_bytes(sample_images.glass_ball())
    return tmp_path


def picture(name):
    return ImageSummary(
        key=name, output=name, rendition="", format="png", width=4, height=3, seconds=0.1, bytes_in=100, bytes_out=100
    )  # fmt: skip


class Hall:
    """An album whose latest image is whatever it is asked for, for as long as somebody looks."""

    def __init__(self, place, *, cores=10_000, clock=time.monotonic):
        self.name = b"a.png"
        self.is_watched = True
        config = RunConfig(source=str(place / "in"), destination=str(place / "out"))
        self.album = PreviewFeed(
            lambda: picture(self.name), lambda: self.is_watched, lambda: preview_options(config), cores=cores, clock=clock
        )


class Clock:
    """Goes on by ``STEP`` seconds each time it is asked, which is once for each chance of a picture."""

    now = 0.0

    def __call__(self):
        self.now += STEP
        return self.now


@pytest.fixture
def hall(place):
    hall = Hall(place)
    hall.album.open()
    yield hall
    hall.album.close()


def test_the_latest_images_are_shown_and_the_oldest_make_room(hall):
    wait_until(lambda: hall.album.previews and hall.album.previews[0].number == 2, seconds=60)
    first = hall.album.previews[-1].preview
    assert first.before[:4] == first.after[:4] == b"RIFF"
    numbers = [framed.number for framed in hall.album.previews]
    assert numbers == sorted(numbers, reverse=True)
    assert hall.album._kept.maxlen == MAX_PREVIEWS


def test_what_cannot_be_shown_is_left_out_and_the_next_is_shown(hall):
    hall.name = b"gone.png"
    wait_until(lambda: hall.album._last_image and hall.album._last_image.key == b"gone.png", seconds=60)
    hall.name = b"a.png"
    wait_until(lambda: hall.album.previews, seconds=60)
    assert hall.album.previews[0].preview.image.key == b"a.png"


def test_only_the_first_is_lent_and_the_next_comes_when_it_and_the_start_of_the_worker_are_earned(place):
    clock = Clock()
    hall = Hall(place, cores=1, clock=clock)
    hall.album.open()
    try:
        wait_until(lambda: len(hall.album.previews) > 1, seconds=60)
        assert clock.now - STEP > WORKER_START_CPU / CPU_SHARE
    finally:
        hall.album.close()


def test_while_nobody_looks_there_is_no_worker(place):
    before = set(children(os.getpid()))
    hall = Hall(place)
    hall.is_watched = False
    hall.album.open()
    hall.album.close()
    assert set(children(os.getpid())) <= before
    assert hall.album.previews == ()
