"""Which images are in a sample: the same ones each time, uniform over all folders, in the order of the source."""

import random
from collections import Counter

import pytest

from pixmill.batch.item import Item
from pixmill.batch.planning.sample import choose
from pixmill.core.units import SampleSize
from pixmill.storage.entry import Entry


def item(path, size=100, locator=b""):
    return Item(Entry(path.encode(), size, b""), locator=locator)


SOURCE = [item(f"folder {number // 100:02}/{number:04}.jpg") for number in range(2000)]


def names(choice):
    return [each.entry.path for each in choice.items]


def test_a_sample_does_not_depend_on_the_order_and_keeps_that_of_the_source():
    shuffled = random.Random(1).sample(SOURCE, len(SOURCE))
    assert names(choose(SOURCE, SampleSize(50))) == sorted(names(choose(shuffled, SampleSize(50))))


def test_a_larger_sample_contains_the_smaller_ones():
    small, large = (set(names(choose(SOURCE, SampleSize(size)))) for size in (20, 200))
    assert len(small) == 20
    assert small < large


def test_it_is_spread_over_all_folders():
    by_folder = Counter(name.partition(b"/")[0] for name in names(choose(SOURCE, SampleSize(400))))
    assert len(by_folder) == 20
    assert max(by_folder.values()) < 3 * min(by_folder.values())


@pytest.mark.parametrize(("percent", "images"), [(1, 20), (0.01, 1), (100, 2000)])
def test_a_percentage_is_of_all_images(percent, images):
    choice = choose(iter(SOURCE), SampleSize(percent=percent))
    assert (len(choice.items), choice.found) == (images, 2000)


def test_a_percentage_is_limited_so_that_memory_is():
    many = (item(f"{number}.jpg") for number in range(12_000))
    assert len(choose(many, SampleSize(percent=90)).items) == SampleSize.MAX_COUNT


def test_the_bytes_of_the_source_are_known_unless_a_size_is_not():
    assert choose(SOURCE, SampleSize(5)).source_bytes == 200_000
    assert choose([*SOURCE, item("empty.jpg", 0)], SampleSize(5)).source_bytes == 200_000
    assert choose([*SOURCE, item("url.jpg", 0, b"https://host/url.jpg")], SampleSize(5)).source_bytes is None
