import pytest

from pixmill.batch.item import Item
from pixmill.batch.progress.workload import MAX_KINDS, Workload, WorkTotal, count_work, extension
from pixmill.storage.entry import Entry


def test_pixels_of_what_is_left_are_learnt_from_what_was_done_of_the_same_kind():
    load = Workload()
    for name in (b"a.jpg", b"b.jpg", b"c.png", b"d.PNG"):
        load.find(name, 100)
    load.finish(b"a.jpg", 100, 1000)
    load.finish(b"c.png", 100, 50)
    assert load.remaining == 100 * 10 + 100 * 0.5


def test_a_kind_that_was_not_seen_yet_is_like_all_others_together():
    load = Workload()
    load.find(b"a.jpg", 100)
    load.find(b"b.tif", 100)
    assert load.remaining == 200 * 5
    load.finish(b"a.jpg", 100, 700)
    assert load.remaining == 700


def test_what_was_seen_ahead_counts_until_it_is_found():
    load = Workload()
    load.set_total(WorkTotal(count=3, sizes={b"jpg": 300}))
    load.find(b"a.jpg", 100)
    load.finish(b"a.jpg", 100, 500)
    assert load.remaining == 1000
    for name in (b"b.jpg", b"c.jpg", b"new.jpg"):
        load.find(name, 100)
    assert load.remaining == 1500


def test_what_was_not_opened_is_finished_too():
    load = Workload()
    load.find(b"a.jpg", 100)
    load.finish(b"a.jpg", 100, None)
    assert (load.finished, load.remaining) == (500, 0)


def test_extensions_without_end_cost_no_memory():
    load = Workload()
    for number in range(1000):
        load.find(b"x.%d" % number, 1)
        load.finish(b"x.%d" % number, 1, None)
    assert load.remaining == 0
    assert len(load._found) <= MAX_KINDS + 1
    assert len(count_work(Item(Entry(b"x.%d" % number, 1, b"")) for number in range(1000)).sizes) <= MAX_KINDS + 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [(b"a.JPG", b"jpg"), (b"a", b""), (b".jpg", b""), (b"a.b/c", b""), (b"d/a.jpeg", b"jpeg"), (b"x.tmp-1234567", b"")],
)
def test_the_extension_of_a_name(name, kind):
    assert extension(name) == kind


def test_a_walk_ahead_adds_up_by_kind():
    found = count_work(Item(Entry(name, 10, b"")) for name in (b"a.jpg", b"b.jpg", b"c.png"))
    assert found == WorkTotal(count=3, sizes={b"jpg": 20, b"png": 10})


def test_images_without_work_count_as_found_and_finished_whatever_their_kinds():
    together, apart = Workload(), Workload()
    images = [(b"%d.k%d" % (number, number % (MAX_KINDS + 9)), number) for number in range(300)]
    together.pass_over(images)
    for image in images:
        apart.find(*image)
        apart.finish(*image, None)
    assert together.remaining == apart.remaining == 0
    assert together.finished == apart.finished
