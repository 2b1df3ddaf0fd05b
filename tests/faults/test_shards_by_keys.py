"""Shards of a bucket that begin at keys: each lists only its own, every key is in one of them, and no other division is added."""

import pytest

from pixmill.batch.config.options import resolve
from pixmill.batch.planning.plan import plan
from pixmill.batch.state.state_folder import is_name_of_state
from pixmill.core.errors import ConfigError
from support.changed_outputs import picture as picture_of
from support.fault_run import COMMAND
from support.machines import Machine

WORDS = ("--size", "16x16", "--format", "webp", "--progress", "plain", "--workers", "2", "--durability", "none")
SOURCE, OUTPUT = "s3://photos/in", "s3://photos/out"
KEYS = [f"{year}/{month:02}/{n:03}.jpg" for year in range(2020, 2024) for month in range(1, 13) for n in range(125)]
BOUNDARIES = ("2020/10/", "2021/07/02", "2023")
AT = [word for key in BOUNDARIES for word in ("--shard-at", key)]


def shard(index, *, at=AT, count=4):
    return ("run", SOURCE, OUTPUT, "--shard", f"{index}/{count}", *at, *WORDS)


def planned(index, boundaries=BOUNDARIES, **options):
    made = plan(resolve(SOURCE, OUTPUT, {"shard": f"{index}/{len(boundaries) + 1}", "shard_at": boundaries, **options}))
    return [item.entry.path.decode() for item in made.items()]


@pytest.mark.parametrize(
    "boundaries", [BOUNDARIES, ("1",), ("3",), ("2022/05/", "2022/06/", "2022/06/1", "2022/06/2"), ("2020/01/000",)]
)
def test_every_key_is_in_one_shard_and_the_shards_list_hardly_more_than_one_run(store, boundaries):
    store.objects = dict.fromkeys((f"in/{key}" for key in KEYS), b"1")
    whole = list(plan(resolve(SOURCE, OUTPUT, {})).items())
    once = store.requests["list"]
    store.requests.clear()
    shards = [planned(index + 1, boundaries) for index in range(len(boundaries) + 1)]
    assert sorted(path for paths in shards for path in paths) == sorted(KEYS) == sorted(item.entry.path.decode() for item in whole)
    assert store.requests["list"] <= once + 4 * len(shards)  # of each: its order, the rest of a page, and to start its first image
    bounds = ["", *boundaries, "3"]
    assert all(bounds[n] <= path < bounds[n + 1] or n == len(boundaries) for n, paths in enumerate(shards) for path in paths)


def test_four_shards_of_many_keys_list_as_much_as_one_run(store):
    keys = [f"{n % 10}/{n // 1000 % 10}/{n:06}.jpg" for n in range(200_000)]
    store.objects = dict.fromkeys((f"in/{key}" for key in keys), b"1")
    found = [path for index in (1, 2, 3, 4) for path in planned(index, ("2/5/", "5/000", "7/5"))]
    assert sorted(found) == sorted(keys)
    assert store.requests["list"] <= 1.1 * len(keys) / 1000


def test_real_runs_make_everything_once_and_a_key_that_is_added_meanwhile_is_in_one_of_them(store, machine):
    image = picture_of()
    store.objects = {f"in/{key}": image for key in KEYS[::15]}
    for index in (1, 2, 3):
        machine.run(*shard(index))
    store.objects |= dict.fromkeys(("in/0.jpg", "in/2020/10/new.jpg", "in/2022/13/x.jpg", "in/z.jpg"), image)
    machine.run(*shard(4))
    made = {key for key in store.objects if key.startswith("out/") and key.endswith(".webp")}
    assert len(made) == 400 + 1  # the last shard has found its new one
    for index in (1, 2, 3, 4):
        machine.run(*shard(index))
    made = {key for key in store.objects if key.startswith("out/") and key.endswith(".webp")}
    assert made == {f"out/{key[3:-4]}.webp" for key in store.objects if key.startswith("in/")}
    assert "done     404 images" in machine.run("status", OUTPUT)[0]


def test_shards_of_other_divisions_are_refused_in_words(store, machine):
    store.objects = {f"in/{key}": picture_of() for key in KEYS[::100]}
    machine.run(*shard(2))
    text = machine.run(*shard(1, at=[]), code=2)[1]
    assert "the images of this output are divided into shards at 3 keys" in text
    assert "--shard N/4 --shard-at '2020/10/' --shard-at '2021/07/02' --shard-at '2023'" in text
    text = machine.run(*shard(1, at=["--shard-at", "2021"], count=2), code=2)[1]
    assert "divided into shards at other keys" in text
    machine.run(*shard(1))


def test_an_output_in_a_folder_keeps_its_division_as_well(store, machine, tmp_path):
    store.objects = {f"in/{key}": picture_of() for key in KEYS[::100]}
    for line in map(shard, (1, 2, 3, 4)):
        machine.run(*(str(tmp_path / "out") if word == OUTPUT else word for word in line))
    made = sorted(path.relative_to(tmp_path / "out").with_suffix(".jpg") for path in (tmp_path / "out").rglob("*.webp"))
    assert [str(path) for path in made] == KEYS[::100]
    line = [str(tmp_path / "out") if word == OUTPUT else word for word in shard(1, at=[])]
    assert "divided into shards at 3 keys" in machine.run(*line, code=2)[1]


def test_keys_do_not_divide_what_hashes_have_divided_here_or_on_another_machine(store, machine, tmp_path):
    store.objects = {f"in/{key}": picture_of() for key in KEYS[::100]}
    machine.run(*shard(2, at=[]))
    for each in (machine, Machine(COMMAND, tmp_path / "other", store.endpoint)):
        assert "divided into shards by the hash of their names (shard 2/4)" in each.run(*shard(1), code=2)[1]


def test_a_shard_without_keys_is_done(store, machine):
    store.objects = {f"in/{key}": picture_of() for key in KEYS[:3]}
    assert "shard 4/4 has no images" in machine.run(*shard(4))[1]


@pytest.mark.parametrize(
    ("boundaries", "count", "message"),
    [
        (("a", "b"), 2, "expected 1 for --shard 1/2, received 2"),
        (("a",), 1, "there is no --shard"),
        (("b", "a"), 3, "in the order of their bytes"),
        (("a/b.jp",), 2, "may divide images whose outputs want one name"),
    ],
)
def test_boundaries_that_divide_nothing_or_too_much_are_refused(boundaries, count, message):
    with pytest.raises(ConfigError, match=message):
        resolve(SOURCE, OUTPUT, {"shard": f"1/{count}", "shard_at": boundaries})


@pytest.mark.usefixtures("store")
def test_names_that_say_nothing_of_their_sources_are_not_divided_at_keys():
    options = {"shard": "1/2", "shard_at": ("a",), "name": "x-{stem}.{ext}"}
    with pytest.raises(ConfigError, match="have to begin with"):
        plan(resolve(SOURCE, OUTPUT, options))


def test_only_a_bucket_is_divided_at_keys(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(ConfigError, match="only keys of one bucket"):
        plan(resolve(str(tmp_path / "in"), str(tmp_path / "out"), {"shard": "1/2", "shard_at": ("a",)}))


def test_the_keys_are_a_file_of_the_state():
    assert is_name_of_state("shard-keys")
