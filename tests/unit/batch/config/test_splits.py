"""Splits of a dataset: how they are written, and what stays where it is."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixmill.batch.config.shard import Splits

KEYS = [f"folder/{number:05}".encode() for number in range(20_000)]


@pytest.mark.parametrize("text", ["train=0.9,val=0.1", "a=1", "a=0.333,b=0.667", "a=1/3,b=1/3,c=1/3", "train=.8, val=.1 ,test=0.1"])
def test_they_parse_back_to_themselves(text):
    splits = Splits.from_builtin(text)
    assert Splits.from_builtin(splits.to_builtin()) == splits
    assert Splits.from_builtin(splits.shares) == splits


@pytest.mark.parametrize(("text", "message"), [
    ("train=0.8,val=0.1", "these add up to 0.9"),
    ("train=90%,val=10%", "add up to 1, such as"),
    ("train=2,val=-1", "add up to 1, such as"),
    ("train", "add up to 1, such as"),
    ("train=0.5,train=0.5", "each name once"),
    ("3of16=1", "a name begins with a letter"),
    ("a/b=1", "a name begins with a letter"),
    ("", "add up to 1, such as"),
    ("a=1e-9,b=1", "add up to 1, such as"),
])  # fmt: skip
def test_what_is_wrong_is_said(text, message):
    with pytest.raises(ValueError, match=message):
        Splits.from_builtin(text)


def test_each_gets_its_share():
    counts = Counter(map(Splits.from_builtin("train=0.9,val=0.06,test=0.04").of, KEYS))
    assert {name: round(count / len(KEYS), 2) for name, count in counts.items()} == {"train": 0.9, "val": 0.06, "test": 0.04}


def test_other_shares_move_no_more_samples_than_they_must():
    before, after = (Splits.from_builtin(f"train={share},val={1 - share:g}") for share in (0.9, 0.8))
    moved = {(before.of(key), after.of(key)) for key in KEYS if before.of(key) != after.of(key)}
    assert moved == {("train", "val")}


@given(st.binary())
def test_a_key_always_has_a_split(key):
    assert Splits.from_builtin("a=1/3,b=1/3,c=1/3").of(key) in {"a", "b", "c"}


def test_the_split_of_a_key_is_the_same_for_ever():
    splits = Splits.from_builtin("train=0.5,val=0.5")
    assert [splits.of(key) for key in KEYS[:4]] == ["train", "val", "train", "train"]
