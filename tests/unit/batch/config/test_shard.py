"""Parts of a run."""

import pytest

from pixmill.batch.config.shard import Shard


def test_every_name_is_in_exactly_one_part():
    shards = [Shard(index, 5) for index in range(1, 6)]
    for number in range(1000):
        assert sum(shard.takes(b"photo-%d.jpg" % number) for shard in shards) == 1


def test_the_parts_are_of_similar_size():
    sizes = [sum(Shard(index, 4).takes(b"%d.jpg" % number) for number in range(4000)) for index in range(1, 5)]
    assert min(sizes) > 800


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", ""])
def test_a_part_that_does_not_exist_is_refused(text):
    with pytest.raises(ValueError, match="a shard such as 3/16"):
        Shard.from_builtin(text)
