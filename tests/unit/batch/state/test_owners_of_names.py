"""Owners are looked up in the ledgers name by name, or as a range where the names are near each other."""

from contextlib import closing

import pytest

from pixmill.batch.config.shard import Shard
from pixmill.batch.naming.reserved import name_key
from pixmill.batch.state.earlier_ledgers import EarlierLedgers
from pixmill.batch.state.ledger_files import LEDGER
from pixmill.batch.state.name_owners import GENERATION, NameOwners
from pixmill.engine.ledger import Record
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.task import State

NUMBER = 5000
NAMES = {b"x/%05d.jpg" % number: b"x/%05d.png" % number for number in range(NUMBER)}


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def recorded(folder, names):
    """Note the names and their owners in a new ledger."""
    folder.mkdir(parents=True)
    with closing(SqliteLedger(folder / LEDGER)) as ledger:
        ledger.claim((name_key(name), owner) for name, owner in names.items())
        ledger.import_records(Record(key=owner, id=bytes(16), state=State.PENDING) for owner in sorted(set(names.values())))


@pytest.fixture
def owners(state):
    recorded(state, NAMES)
    opened = EarlierLedgers(state, Shard())
    yield NameOwners(opened, folds=False)
    opened.close()


@pytest.mark.parametrize(
    "asked",
    [
        [b"x/00007.jpg"],
        [b"x/00000.jpg", b"x/04999.jpg"],  # with thousands of others between them
        [b"x/%05d.jpg" % number for number in range(1000, 2000)],
        [b"x/%05d.jpg" % number for number in range(0, NUMBER, 7)],
        [b"x/00003.jpg", b"y/00003.jpg", b"x/none.jpg", b"x/00003.JPG"],
        [],
    ],
)
def test_each_name_has_the_owner_that_the_ledger_notes(owners, asked):
    found = owners.of_keys(map(name_key, asked))
    wanted = {name_key(name): NAMES[name.lower()] for name in asked if name.lower() in NAMES}
    assert {key: found.get(key) for key in map(name_key, asked)} == {**dict.fromkeys(map(name_key, asked)), **wanted}
    assert all(NAMES[key.replace(b"\0", b"/")] == owner for key, owner in found.items())


@pytest.mark.parametrize("asked", [[b"x/00007"], [b"x/00000", b"x/04999"], [b"x/%05d" % number for number in range(NUMBER)]])
def test_a_stem_has_the_owner_of_the_names_that_begin_with_it(owners, asked):
    found = owners.of_stems(map(name_key, [*asked, b"x/0000", b"y/00007"]))
    assert {key: found.get(key) for key in map(name_key, asked)} == {name_key(stem): stem + b".png" for stem in asked}
    assert name_key(b"x/0000") not in found
    assert name_key(b"y/00007") not in found


def test_what_has_no_record_and_was_given_nothing_owns_nothing(owners):
    assert owners.named([b"x/00001.png", b"x/new.png"]) == {b"x/00001.png"}
    owners.give({b"x/new.png": [b"x/new.jpg"]})
    assert owners.named([b"x/00001.png", b"x/new.png"]) == {b"x/00001.png", b"x/new.png"}
    assert owners.of_keys([name_key(b"x/NEW.jpg")])[name_key(b"x/new.jpg")] == b"x/new.png"
    owners.forget([b"x/new.jpg"])
    assert owners.of_keys([name_key(b"x/new.jpg")]) == {}


def test_given_names_are_remembered_for_a_generation_and_then_are_in_the_ledger(owners):
    owners.give({b"y/first.png": [b"y/first.jpg"]})
    for generation in range(5):
        assert bool(owners.of_keys([name_key(b"y/first.jpg")])) == (generation < 4)
        owners.give(
            {b"y/%d-%d.png" % (generation, number): [b"y/%d-%d.jpg" % (generation, number)] for number in range(GENERATION)}
        )


def test_the_names_of_every_shard_count(state):
    recorded(state / "shard-1-of-2", {b"x/a.jpg": b"x/a.png"})
    recorded(state / "shard-2-of-2", {b"x/b.jpg": b"x/b.png"})
    opened = EarlierLedgers(state, Shard(1, 2))
    both = NameOwners(opened, folds=False)
    assert (
        set(both.of_keys([name_key(b"x/a.jpg"), name_key(b"x/b.jpg")]).values())
        == both.named([b"x/a.png", b"x/b.png"])
        == {b"x/a.png", b"x/b.png"}
    )
    opened.close()
