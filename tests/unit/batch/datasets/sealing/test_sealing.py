"""Sealing: what is finished comes into shards, and the shards depend on nothing else."""

import pytest

from pixmill.core.errors import ConfigError, RunError
from support.datasets import DatasetFixture, content

FIRST = {f"photo {number:02}": number for number in range(0, 20, 2)}


@pytest.fixture
def packing():
    """What most of these tests pack: sealing does not know the difference, and tar is quicker."""
    return "tar"


@pytest.fixture
def begin(tmp_path, packing):
    """Return a function that opens the dataset with this name, the same one each time."""
    return lambda name="out": DatasetFixture(tmp_path / name, packing)


@pytest.fixture
def sealed_afresh(begin):
    """Return a function that gives the files of a dataset in which these images were finished and sealed at once."""

    def files(images, name="afresh"):
        begin(name).finish(images)
        begin(name).seal()
        return begin(name).files()

    return files


def shards(dataset):
    return {name: data for name, data in dataset.files().items() if name.startswith("0")}


def test_everything_finished_comes_into_shards_in_the_order_of_the_keys(begin, packing):
    shop = begin()
    shop.finish(dict(reversed(FIRST.items())))
    assert shop.seal()
    assert sorted(shop.files()) == [*(f"00000{n}.{packing}" for n in range(4)), "_index.jsonl", "_shards.json"]
    assert shop.left_over() == []
    assert shop.missing() == []


def test_sealing_again_touches_nothing(begin):
    shop = begin()
    shop.finish(FIRST)
    shop.seal()
    before = {path.name: path.stat().st_mtime_ns for path in shop.folder.iterdir() if path.is_file()}
    assert begin().seal()
    assert {path.name: path.stat().st_mtime_ns for path in shop.folder.iterdir() if path.is_file()} == before


CHANGES = {
    "one more at the end": FIRST | {"photo 99": 99},
    "one more at the beginning": FIRST | {"a": 99},
    "one more in the middle": FIRST | {"photo 09": 99},
    "another one in place of one": FIRST | {"photo 08": 99},
    "one of the same size in place of one": FIRST | {"photo 08": 508},
    "three more, which shift all by a shard": {"a": 97, "b": 98, "c": 99} | FIRST,
    "four times as many": FIRST | {f"x {n}": 100 + n for n in range(30)},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_dataset_is_that_of_a_run_that_saw_everything_at_once(begin, sealed_afresh, change):
    images = CHANGES[change]
    shop = begin()
    shop.finish(FIRST)
    shop.seal()
    shop.finish(dict(images.items() - FIRST.items()))
    assert begin().seal()
    assert shop.files() == sealed_afresh(images)
    assert shop.left_over() == []


def test_only_what_must_change_is_sealed_anew(begin, packing):
    shop = begin()
    shop.finish(FIRST)
    shop.seal()
    before = {name: (shop.folder / name).stat().st_ino for name in shards(shop)}
    shop.finish({"photo 08": 99})
    shop.seal()
    after = {name: (shop.folder / name).stat().st_ino for name in shards(shop)}
    assert [name for name in before if before[name] != after[name]] == [f"000001.{packing}"]


def test_what_is_not_done_any_more_leaves_the_shards(begin, sealed_afresh):
    shop = begin()
    shop.finish(FIRST)
    shop.seal()
    shop.forget("photo 00", "photo 02", "photo 04", "photo 16")
    begin().seal()
    assert shop.files() == sealed_afresh({name: n for name, n in FIRST.items() if n not in (0, 2, 4, 16)})


def test_other_bounds_only_repack(begin, sealed_afresh):
    shop = begin()
    shop.finish(FIRST)
    shop.seal()
    wide = DatasetFixture(shop.folder, shop.dataset.packing, samples=100)
    wide.seal()
    assert len(shards(shop)) == 1
    begin().seal()
    assert shop.files() == sealed_afresh(FIRST)


def test_another_packing_takes_over_what_is_sealed_and_goes_the_same_way(begin, tmp_path):
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    shop = begin()
    shop.finish(FIRST)
    shop.seal()
    before = shop.files()
    other = DatasetFixture(shop.folder, "parquet")
    other.seal()
    assert sorted(shards(other)) == [f"00000{n}.parquet" for n in range(4)]
    other.finish({"photo 09": 99})
    other.seal()
    afresh = DatasetFixture(tmp_path / "parquet", "parquet")
    afresh.finish(FIRST | {"photo 09": 99})
    afresh.seal()
    assert other.files() == afresh.files()
    assert other.missing() == []
    shop.forget("photo 09")
    begin().seal()
    assert shop.files() == before


def test_a_shard_whose_file_was_changed_stays_until_replacing_is_asked_for(begin, sealed_afresh, packing):
    shop = begin()
    shop.finish(FIRST)
    shop.seal()
    changed = shop.folder / f"000002.{packing}"
    changed.write_bytes(b"overwritten")
    begin().seal()
    assert changed.read_bytes() == b"overwritten"
    shop.finish({name: n for name, n in FIRST.items() if 6 <= n < 18})
    begin().seal(replaces=True)
    assert shop.files() == sealed_afresh(FIRST)


def test_a_shard_whose_file_is_gone_or_changed_is_made_anew_from_parts(begin, sealed_afresh, packing):
    shop = begin()
    shop.finish(FIRST)
    shop.seal()
    (shop.folder / f"000001.{packing}").unlink()
    (shop.folder / f"000002.{packing}").write_bytes(b"overwritten")
    shop.finish({name: n for name, n in FIRST.items() if 6 <= n < 18})
    begin().seal(replaces=True)
    assert shop.files() == sealed_afresh(FIRST)


def test_lost_images_are_pending_and_all_others_are_sealed(begin, sealed_afresh):
    shop = begin()
    shop.finish(FIRST)
    (shop.dataset.parts / "photo 04.jpg").unlink()
    (shop.dataset.parts / "photo 12.jpg").write_bytes(b"short")
    damaged = shop.dataset.parts / "photo 14.jpg"
    damaged.write_bytes(bytes(len(damaged.read_bytes())))
    with pytest.raises(RunError) as caught:
        shop.seal()
    assert caught.value.code == "parts-lost"
    assert "3 finished images" in caught.value.message
    with shop.ledger() as ledger:
        assert ledger.counts().pending == 3
    assert shop.files() == sealed_afresh({name: n for name, n in FIRST.items() if n not in (4, 12, 14)})
    assert begin().seal()


def test_damage_in_a_sealed_shard_never_gets_into_another(begin, packing):
    shop = begin()
    shop.finish(FIRST)
    shop.seal()
    path = shop.folder / f"000001.{packing}"
    data = path.read_bytes()
    place = data.index(content(8)[100:200])
    path.write_bytes(data[:place] + bytes(100) + data[place + 100 :])
    shop.finish({"a": 99})
    with pytest.raises(RunError, match="1 finished image "):
        shop.seal()
    assert begin().seal()
    with shop.ledger() as ledger:
        assert ledger.counts().pending == 1
    assert shop.missing() == []


@pytest.mark.parametrize("is_sealed", [True, False])
def test_a_name_that_went_to_another_source_is_its_alone(begin, is_sealed):
    """``photo 08.png`` was deleted, and ``photo 08.webp`` came: it takes the name, and the output of the first is no more."""
    shop = begin()
    shop.finish(FIRST)
    if is_sealed:
        shop.seal()
    shop.finish({"photo 08": 99}, ending="webp")
    assert begin().seal()
    others = {name: number for name, number in FIRST.items() if number != 8}
    begin("other").finish(others)
    begin("other").finish({"photo 08": 99}, ending="webp")
    begin("other").seal()
    assert shop.files() == begin("other").files()
    assert shop.missing() == []


def test_stopping_leaves_whole_shards_and_the_next_run_goes_on(begin, sealed_afresh):
    shop = begin()
    shop.finish(FIRST)
    for turns in (0, 5, 12, 13):
        assert not shop.seal([False, *[True] * turns].pop)
        assert shop.missing() == []
    assert begin().seal()
    assert shop.files() == sealed_afresh(FIRST)


def test_a_catalogue_that_is_lost_is_made_from_the_indexes(begin):
    shop = begin()
    shop.finish(FIRST)
    shop.seal()
    before = {path.name: (path.stat().st_ino, path.read_bytes()) for path in shop.folder.iterdir() if path.is_file()}
    (shop.state / "catalogue.sqlite").unlink()
    assert begin().seal()
    assert {path.name: (path.stat().st_ino, path.read_bytes()) for path in shop.folder.iterdir() if path.is_file()} == before
    assert shop.missing() == []


def test_indexes_with_the_names_of_earlier_versions_are_read_and_then_renamed(begin):
    shop = begin()
    shop.finish(FIRST)
    shop.seal()
    before = {path.name: (path.stat().st_ino, path.read_bytes()) for path in shop.folder.iterdir() if path.name[0] in "0_"}
    for name in ("index.jsonl", "shards.json"):
        (shop.folder / f"_{name}").rename(shop.folder / name)
    (shop.state / "catalogue.sqlite").unlink()
    assert begin().seal()
    after = {path.name: (path.stat().st_ino, path.read_bytes()) for path in shop.folder.iterdir() if path.is_file()}
    assert {name: data for name, (_, data) in after.items()} == {name: data for name, (_, data) in before.items()}
    assert all(after[name] == before[name] for name in shards(shop))


def test_an_index_that_a_dead_run_did_not_rename_is_removed(begin):
    shop = begin()
    shop.finish(FIRST)
    shop.seal()
    before = shop.files()
    (shop.folder / "shards.json").write_bytes((shop.folder / "_shards.json").read_bytes())
    assert begin().seal()
    assert shop.files() == before


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"no JSON", b'{"shard": "000000.tar"}\n'])
def test_an_index_that_makes_no_sense_tells_of_nothing(begin, damage):
    shop = begin()
    shop.finish(FIRST)
    shop.seal()
    (shop.state / "catalogue.sqlite").unlink()
    (shop.folder / "_index.jsonl").write_bytes(damage)
    with pytest.raises(ConfigError, match="a shard that this output did not write"):
        shop.seal()


def test_strange_shards_are_never_written_over(begin, packing):
    shop = begin()
    shop.finish(FIRST)
    stranger = shop.folder / f"000007.{packing}"
    stranger.write_bytes(b"somebody else's")
    with pytest.raises(ConfigError, match=f"000007.{packing}"):
        shop.seal()
    assert stranger.read_bytes() == b"somebody else's"


def test_what_a_run_made_as_files_here_is_no_sample(begin, sealed_afresh):
    shop = begin()
    shop.finish(FIRST)
    shop.finish({"other": 1, "another": 2}, suffix="")
    with pytest.raises(RunError, match="2 finished images "):
        shop.seal()
    assert shop.files() == sealed_afresh(FIRST)


def test_nothing_finished_makes_no_shard(begin):
    assert begin().seal()
    assert shards(begin()) == {}
