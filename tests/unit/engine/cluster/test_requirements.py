"""Which slots a node offers to workers that need more than a core."""

import pytest

from pixmill.engine.cluster.requirements import slots_of


def cores(offered, needs, count=8):
    return [slot.cores for slot in slots_of("id", "10.0.0.1", count, offered, needs)]


@pytest.mark.parametrize(
    ("offered", "needs", "expected"),
    [
        ({}, {}, [8]),
        ({"GPU": 3.0}, {}, [8]),
        ({"GPU": 3.0}, {"GPU": 1.0}, [1, 1, 1]),
        ({"GPU": 3.0}, {"GPU": 2.0}, [1]),
        ({"GPU": 2.0}, {"GPU": 0.25}, [4, 4]),
        ({"GPU": 2.0}, {"GPU": 1 / 3}, [3, 3]),
        ({"GPU": 4.0}, {"GPU": 0.25}, [4, 4]),  # eight cores
        ({"GPU": 2.0}, {"GPU": 0.6}, [1, 1]),
        ({"GPU": 2.0}, {"GPU": 0.4}, [2, 2]),
        ({"GPU": 0.5}, {"GPU": 0.25}, [2]),
        ({"tpu": 3.0}, {"tpu": 1.0}, [3]),
        ({"tpu": 1.0, "GPU": 8.0}, {"tpu": 0.5, "GPU": 1.0}, [1, 1]),
    ],
)
def test_a_node_has_slots_for_as_many_workers_as_what_it_offers_suffices_for(offered, needs, expected):
    assert cores(offered, needs) == expected


def test_slots_of_a_node_have_names_of_their_own_and_one_label():
    slots = list(slots_of("id", "10.0.0.1", 8, {"GPU": 3.0}, {"GPU": 1.0}))
    assert [slot.name for slot in slots] == ["id", "id/1", "id/2"]
    assert {slot.label for slot in slots} == {"10.0.0.1"}
    assert not any(slot.lacks for slot in slots)
    assert {slot.sharing for slot in slots} == {3}
    assert {slot.host for slot in slots} == {"10.0.0.1"}


def test_a_node_that_lacks_something_says_so_and_offers_no_core():
    (slot,) = slots_of("id", "10.0.0.1", 8, {"GPU": 0.5}, {"GPU": 1.0})
    assert slot.cores == 0
    assert slot.lacks == "it offers 0.5 of the resource GPU, and a step of the recipe needs 1 for each worker"


def test_a_node_without_cores_has_a_slot_without_any():
    assert cores({"GPU": 1.0}, {"GPU": 1.0}, count=0) == [0]
