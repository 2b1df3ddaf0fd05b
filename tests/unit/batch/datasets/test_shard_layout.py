"""Which samples make up which shard."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pixmill.batch.config.shard import Splits
from pixmill.batch.datasets.sample import Original
from pixmill.batch.datasets.shard_layout import Bounds, Layout, plan_shards, shard_plans
from pixmill.imaging.traits.traits import Traits
from pixmill.testing.packings import sample


def of_sizes(*sizes):
    return [sample(0, size=size)[0] for size in sizes]


def test_a_shard_ends_before_it_would_be_too_large_or_too_many():
    laid = plan_shards(of_sizes(40, 40, 40, 10, 10, 10, 10), Bounds(size=100, samples=3))
    assert [[each.size for each in draft.samples] for draft in laid] == [[40, 40], [40, 10, 10], [10, 10]]


def test_a_sample_that_is_too_large_has_a_shard_for_itself():
    laid = plan_shards(of_sizes(10, 500, 10), Bounds(size=100, samples=3))
    assert [[each.size for each in draft.samples] for draft in laid] == [[10], [500], [10]]


@given(st.lists(st.integers(0, 60)), st.integers(1, 100), st.integers(1, 5))
def test_every_sample_is_in_one_shard_in_order_and_no_shard_is_empty(sizes, size, most):
    samples = of_sizes(*sizes)
    laid = list(plan_shards(samples, Bounds(size=size, samples=most)))
    assert [each for draft in laid for each in draft.samples] == samples
    assert [draft.number for draft in laid] == list(range(len(laid)))
    for draft in laid:
        assert 1 <= len(draft.samples) <= most
        assert len(draft.samples) == 1 or sum(each.size for each in draft.samples) <= size


def test_the_fingerprint_knows_the_samples_and_the_packing():
    one, other, more = (
        next(plan_shards([sample(number)[0] for number in numbers], Bounds())) for numbers in ([1, 2], [1, 3], [1, 2, 3])
    )
    prints = {one.fingerprint("tar 1"), one.fingerprint("tar 2"), other.fingerprint("tar 1"), more.fingerprint("tar 1")}
    assert len(prints) == 4
    assert one.fingerprint("tar 1") in prints


def test_samples_of_earlier_versions_have_the_fingerprint_that_those_gave_so_that_their_shards_stay():
    (plan,) = plan_shards([sample(number)[0] for number in (1, 2)], Bounds())
    assert plan.fingerprint("tar 1").hex() == "be1e0e186193d429f21298c7697e33a5"
    traits = Traits("3OcRJYB4d3h/iIeHeEh3eIhw+j2w", "#402010", "0123456789abcdef")
    members = (msgspec.structs.replace(plan.samples[0].members[0], traits=traits),)
    looked_at = msgspec.structs.replace(plan.samples[0], members=members)
    (other,) = plan_shards([looked_at, plan.samples[1]], Bounds())
    assert other.fingerprint("tar 1") != plan.fingerprint("tar 1")


def test_a_split_has_shards_of_its_own_with_numbers_of_their_own():
    samples = [sample(number)[0] for number in range(100)]
    layout = Layout(bounds=Bounds(samples=7), splits=Splits.from_builtin("train=0.8,val=0.2"))
    plans = list(shard_plans(samples, layout))
    for name in ("train", "val"):
        mine = [plan for plan in plans if plan.split == name]
        assert [plan.number for plan in mine] == list(range(len(mine)))
        assert [each for plan in mine for each in plan.samples] == [each for each in samples if layout.splits.of(each.key) == name]
        assert all(len(plan.samples) == 7 for plan in mine[:-1])
    assert sum(len(plan.samples) for plan in plans) == 100


def test_a_seed_gives_an_order_of_its_own_whatever_order_the_samples_come_in():
    samples = [sample(number)[0] for number in range(200)]
    first, again, other = (
        [each for plan in shard_plans(given, Layout(bounds=Bounds(samples=9), seed=seed)) for each in plan.samples]
        for given, seed in ((samples, 1), (samples[::-1], 1), (samples, 2))
    )
    assert first == again
    assert sorted(each.key for each in first) == [each.key for each in samples]
    assert len({tuple(each.key for each in order) for order in (samples, first, other)}) == 3


def test_the_fingerprint_knows_captions_and_what_the_source_was():
    plain = sample(1)[0]
    variants = [
        plain,
        msgspec.structs.replace(plain, caption=""),
        msgspec.structs.replace(plain, caption="a cat"),
        msgspec.structs.replace(plain, original=Original(40, 30, "ab" * 32)),
    ]
    assert len({next(plan_shards([each], Bounds())).fingerprint("tar 1") for each in variants}) == len(variants)
